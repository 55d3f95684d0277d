// A request as it lies in the tensors of a batch, and how its candidates are read.
#pragma once

#include <algorithm>
#include <cstdint>

#include "matrix.h"

namespace ranker {

constexpr int64_t MAX_SLATE = 50;
constexpr int64_t MAX_CANDIDATES = 200;
constexpr int64_t MOST_WIDTH = 1024;
constexpr float LOG_SCALE = 5.0f;
constexpr float TINY = 1e-6f;

// Tensors of `ranker.requests.Requests`, of B rows.
struct Batch {
    int64_t candidates;
    int64_t user_width;
    int64_t item_width;
    int64_t id_width;
    const float* user;
    const float* item;
    const int64_t* item_id;
    const uint8_t* valid;
    const float* price;
    const float* age_days;
    const int64_t* seller;
    const int64_t* category;
    const int64_t* group;
    const int64_t* supply_type;
    const uint8_t* is_new;
    const int64_t* pinned;
    const uint8_t* forbidden;
};

// One row of it. Padding lies anywhere, so that everything asks `valid`.
struct Request {
    int64_t candidates, user_width, item_width, id_width;
    const float *user, *item;
    const int64_t* item_id;
    const uint8_t* valid;
    const float *price, *age_days;
    const int64_t *seller, *category, *group, *supply_type;
    const uint8_t* is_new;
    const int64_t* pinned;
    const uint8_t* forbidden;

    Request(const Batch& batch, int64_t row)
        : candidates(batch.candidates), user_width(batch.user_width), item_width(batch.item_width),
          id_width(batch.id_width), user(batch.user + row * user_width),
          item(batch.item + row * candidates * item_width), item_id(batch.item_id + row * candidates * id_width),
          valid(batch.valid + row * candidates), price(batch.price + row * candidates),
          age_days(batch.age_days + row * candidates), seller(batch.seller + row * candidates),
          category(batch.category + row * candidates), group(batch.group + row * candidates),
          supply_type(batch.supply_type + row * candidates), is_new(batch.is_new + row * candidates),
          pinned(batch.pinned + row * candidates), forbidden(batch.forbidden + row * candidates) {}

    bool allowed(int64_t one) const { return valid[one] && !forbidden[one]; }
};

// Which candidates may stand in which slot: `ranker.masks`, for requests that can fill every slot.
struct Openings {
    int64_t size;
    int64_t pin[MAX_SLATE];
    bool open[MAX_CANDIDATES];

    Openings(const Request& request, int64_t slots) : size(slots) {
        std::fill(pin, pin + MAX_SLATE, -1);
        for (int64_t one = 0; one < request.candidates; one++) {
            open[one] = request.allowed(one) && request.pinned[one] < 0;
            if (request.allowed(one) && request.pinned[one] >= 0) pin[request.pinned[one]] = one;
        }
    }
};

// `ranker.item_input.ItemInput`.
struct Reader {
    const float* table;
    const int64_t* sizes;
    const int64_t* offsets;
    int64_t columns;
    int64_t width;
    int64_t last_group;
    int64_t extra;
    const float* user;
    Layer item;
};

// Fills `given` with the inputs and gives the candidates in `read`, of (M, up(out)); `extra` has rows of its width.
inline void read_items(const Reader& reader, const Request& request, const float* extra, float* given, float* read) {
    const int64_t in = reader.item.in, stride = reader.item.stride();
    for (int64_t one = 0; one < request.candidates; one++) {
        float* to = given + one * in;
        to = std::copy_n(request.item + one * request.item_width, request.item_width, to);
        *to++ = std::log1p(request.price[one]) / LOG_SCALE;
        *to++ = std::log1p(request.age_days[one]) / LOG_SCALE;
        *to++ = request.is_new[one] ? 1.0f : 0.0f;
        for (int64_t column = 0; column < reader.columns; column++) {
            int64_t id;
            if (column < request.id_width)
                id = request.item_id[one * request.id_width + column];
            else if (column == request.id_width)
                id = request.supply_type[one];
            else
                id = std::min(request.group[one], reader.last_group);
            if (id >= reader.sizes[column]) id = 0;
            to = std::copy_n(reader.table + (id + reader.offsets[column]) * reader.width, reader.width, to);
        }
        std::copy_n(extra + one * reader.extra, reader.extra, to);
    }
    alignas(64) float shared[MOST_WIDTH];
    copy(reader.item.bias, stride, shared);
    multiply(request.user, request.user_width, 1, reader.user, stride, request.user_width, shared, stride);
    for (int64_t one = 0; one < request.candidates; one++) copy(shared, stride, read + one * stride);
    multiply(given, in, request.candidates, reader.item.weight, stride, in, read, stride);
    relu(read, request.candidates * stride);
}

}  // namespace ranker
