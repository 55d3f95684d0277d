// The evaluator: `ranker.evaluator`, for many slates of one request.
//
// What concerns an item or a pair of items alone is computed once a request; a slate then costs sums over its items and
// one product a position. A slate that begins like the one before it takes over the GRU's states of that beginning,
// which is what makes searches cheap.
#pragma once

#include <cstring>

#include "request.h"

namespace ranker {

struct EvaluatorNet {
    Reader read;
    Layer total;
    Layer narrow;
    const float* total_bias;  // once a slate, so that `total` has none
    const float* flat;
    Layer attend;            // query, key, value, each padded
    Layer given;
    Layer kept;
    Layer like;
    const float* dots;
    Layer of_own;       // of the item, with all biases of the position's layer
    Layer of_recur;     // of the GRU's state
    Layer of_position;  // of what attention met and of the dots; attention's last layer is multiplied in
    Layer of_slate;
    Layer item_out;
    Layer slate_in;  // of what attention met, the last state, the dots, the sum, the flat channel
    Layer slate_out;
    const float* examination;  // a position
    const float* scale;        // a head, and the shifts
    const float* shift;
    int64_t width;
    int64_t channel;
    int64_t heads;
    int64_t narrow_width;
    int64_t positions;
    float usual;
    int64_t averaged;
};

struct Predictions {
    float click[MAX_SLATE + LANES];
    float purchase[MAX_SLATE + LANES];
    float satisfaction;
    float retention;
};

class Oracle {
  public:
    void see(const EvaluatorNet& net, const Request& request) {
        net_ = &net;
        const int64_t candidates = request.candidates, wide = net.read.item.stride();
        read_items(net.read, request, nullptr, input_.need(candidates * net.read.item.in), read_.need(candidates * wide));
        const float* item = read_.need(0);
        apply(net.total, item, wide, candidates, total_.need(candidates * net.total.stride()));
        apply(net.narrow, item, wide, candidates, narrow_.need(candidates * net.narrow.stride()));
        relu(narrow_.need(0), candidates * net.narrow.stride());
        apply(net.given, item, wide, candidates, given_.need(candidates * net.given.stride()));
        apply(net.of_own, item, wide, candidates, own_.need(candidates * channel()));
        pair(item, wide, candidates);
        known_ = 0;
        kept_known_ = 0;
    }

    void predict(const int64_t* slate, int64_t size, Predictions& out) {
        int64_t same = 0;
        while (same < size && same < known_ && slate_[same] == slate[same]) same++;
        std::copy_n(slate, size, slate_);
        known_ = size;
        recur_from(same, size);
        look(size);
        answer(size, out);
    }

  private:
    int64_t channel() const { return up(net_->channel); }

    void pair(const float* item, int64_t wide, int64_t candidates) {
        const int64_t wide_channel = channel(), columns = up(candidates);
        stride_ = columns;
        float* like = like_.need(candidates * wide_channel);
        apply(net_->like, item, wide, candidates, like);
        float* turned = turned_.need(wide_channel * columns);
        float* dots = pair_.need(candidates * columns);
        transpose(like, wide_channel, candidates, net_->channel, turned);
        std::memset(dots, 0, candidates * columns * sizeof(float));
        multiply(like, wide_channel, candidates, turned, columns, net_->channel, dots, columns);
        const float scale = 1.0f / std::sqrt(static_cast<float>(net_->channel));
        for (int64_t at = 0; at < candidates * columns; at += LANES) store(dots + at, load(dots + at) * scale);
        attend(item, wide, candidates);
    }

    // e to the attention logits of all pairs, less the highest of a row, a matrix a head.
    void attend(const float* item, int64_t wide, int64_t candidates) {
        const int64_t wide_channel = channel(), columns = stride_, width = net_->channel / net_->heads;
        float* parts = attend_.need(candidates * 3 * wide_channel);
        apply(net_->attend, item, wide, candidates, parts);
        float* turned = turned_.need(wide_channel * columns);
        transpose(parts + wide_channel, 3 * wide_channel, candidates, net_->channel, turned);
        float* value = value_.need(candidates * wide_channel);
        for (int64_t one = 0; one < candidates; one++)
            copy(parts + one * 3 * wide_channel + 2 * wide_channel, wide_channel, value + one * wide_channel);
        const float scale = 1.0f / std::sqrt(static_cast<float>(width));
        float* met = met_.need(net_->heads * candidates * columns);
        std::memset(met, 0, net_->heads * candidates * columns * sizeof(float));
        for (int64_t head = 0; head < net_->heads; head++) {
            float* of_head = met + head * candidates * columns;
            multiply(parts + head * width, 3 * wide_channel, candidates, turned + head * width * columns, columns, width,
                     of_head, columns);
            for (int64_t one = 0; one < candidates; one++) {
                float* row = of_head + one * columns;
                const float highest = *std::max_element(row, row + candidates) * scale;
                // Beyond it a weight is 0 in float32 all the same, and a row of such is no row of zeros.
                for (int64_t at = 0; at < columns; at += LANES)
                    store(row + at, exp(most(load(row + at) * scale - highest, all(-60.0f))));
            }
        }
        pairs_ = candidates * columns;
    }

    void recur_from(int64_t from, int64_t size) {
        const int64_t wide = channel(), gates = net_->given.stride();
        kept_known_ = std::min(kept_known_, from + 1);
        float *state = state_.need((MAX_SLATE + 1) * wide), *kept = kept_.need(MAX_SLATE * gates);
        std::memset(state, 0, wide * sizeof(float));
        for (int64_t at = from; at < size; at++) {
            if (at >= kept_known_) apply(net_->kept, state + at * wide, wide, 1, kept + at * gates);
            kept_known_ = std::max(kept_known_, at + 1);
            recur(given_.need(0) + slate_[at] * gates, kept + at * gates, state + at * wide, net_->channel,
                  state + (at + 1) * wide);
        }
        apply(net_->of_recur, state + (from + 1) * wide, wide, size - from,
              recurred_.need(MAX_SLATE * wide) + from * wide);
    }

    // What attention met, in `PARTS` vectors of half the lanes, none of which two heads share.
    template <int PARTS>
    void meet(int64_t size, float* to) {
        const int64_t width = net_->channel / net_->heads, wide = channel();
        const float *value = value_.need(0), *met = met_.need(0);
        const float* of_head[PARTS];
        for (int part = 0; part < PARTS; part++) of_head[part] = met + part * HALF / width * pairs_;
        for (int64_t at = 0; at < size; at++) {
            const int64_t row = slate_[at] * stride_;
            Half total[PARTS] = {}, mine[PARTS] = {};
            for (int64_t other = 0; other < size; other++) {
                const float* theirs = value + slate_[other] * wide;
                for (int part = 0; part < PARTS; part++) {
                    const Half share = of_head[part][row + slate_[other]] - Half{};
                    total[part] += share;
                    mine[part] += share * load_half(theirs + part * HALF);
                }
            }
            for (int part = 0; part < PARTS; part++) store_half(to + at * 2 * wide + part * HALF, mine[part] / total[part]);
        }
    }

    void meet_any(int64_t size, float* to) {
        const int64_t width = net_->channel / net_->heads, wide = channel();
        const float *value = value_.need(0), *met = met_.need(0);
        for (int64_t at = 0; at < size; at++)
            for (int64_t lane = 0; lane < net_->channel; lane++) {
                const float* row = met + lane / width * pairs_ + slate_[at] * stride_;
                float total = 0, mine = 0;
                for (int64_t other = 0; other < size; other++) {
                    total += row[slate_[other]];
                    mine += row[slate_[other]] * value[slate_[other] * wide + lane];
                }
                to[at * 2 * wide + lane] = mine / total;
            }
    }

    // What attention met and the dots, side by side, a position; then the positions' own layer.
    void look(int64_t size) {
        const int64_t wide = channel(), width = net_->channel / net_->heads;
        float* seen = seen_.need(MAX_SLATE * 2 * wide);
        std::memset(seen, 0, size * 2 * wide * sizeof(float));
        if (width % HALF == 0 && net_->channel == 4 * HALF)
            meet<4>(size, seen);
        else if (width % HALF == 0 && net_->channel == 8 * HALF)
            meet<8>(size, seen);
        else
            meet_any(size, seen);
        const float* dots = pair_.need(0);
        for (int64_t at = 0; at < size; at++) {
            const float* row = dots + slate_[at] * stride_;
            for (int64_t lane = 0; lane < wide; lane += LANES) {
                Vector total{};
                for (int64_t other = 0; other < size; other++)
                    total += row[slate_[other]] * load(net_->dots + other * wide + lane);
                store(seen + at * 2 * wide + wide + lane, most(total, Vector{}));
            }
        }
        float* position = position_.need(MAX_SLATE * wide);
        for (int64_t at = 0; at < size; at++)
            for (int64_t lane = 0; lane < wide; lane += LANES)
                store(position + at * wide + lane,
                      load(own_.need(0) + slate_[at] * wide + lane) + load(recurred_.need(0) + at * wide + lane));
        multiply(seen, 2 * wide, size, net_->of_position.weight, wide, 2 * wide, position, wide);
    }

    void answer(int64_t size, Predictions& out) {
        const int64_t wide = channel();
        float* whole = whole_.need(5 * wide);  // met, last, dots, sum, flat
        std::memset(whole, 0, 5 * wide * sizeof(float));
        const float *seen = seen_.need(0), share = 1.0f / static_cast<float>(size);
        for (int64_t at = 0; at < size; at++)
            for (int64_t lane = 0; lane < wide; lane += LANES) {
                add(whole + lane, load(seen + at * 2 * wide + lane) * share);
                add(whole + 2 * wide + lane, load(seen + at * 2 * wide + wide + lane) * share);
                add(whole + 3 * wide + lane, load(total_.need(0) + slate_[at] * wide + lane) / net_->usual);
            }
        copy(state_.need(0) + size * wide, wide, whole + wide);
        for (int64_t lane = 0; lane < wide; lane += LANES)
            store(whole + 3 * wide + lane, most(load(whole + 3 * wide + lane) + load(net_->total_bias + lane), Vector{}));
        for (int64_t at = 0; at < size; at++) {
            const float* narrow = narrow_.need(0) + slate_[at] * net_->narrow.stride();
            multiply(narrow, 0, 1, net_->flat + at * net_->narrow_width * wide, wide, net_->narrow_width,
                     whole + 4 * wide, wide);
        }
        relu(whole + 4 * wide, wide);
        float* shared = shared_.need(wide);
        apply(net_->of_slate, whole + 3 * wide, 2 * wide, 1, shared);
        at_positions(size, shared, out);
        float* inside = inside_.need(wide);
        apply(net_->slate_in, whole, 5 * wide, 1, inside);
        relu(inside, wide);
        out.satisfaction = of_slate(inside, 0);
        out.retention = of_slate(inside, 1);
    }

    static void add(float* to, Vector value) { store(to, load(to) + value); }

    float of_slate(const float* inside, int64_t head) const {
        const int64_t wide = channel();
        const float logit = dot(inside, net_->slate_out.weight + head * wide, wide) + net_->slate_out.bias[head];
        return 1.0f / (1.0f + std::exp(-(logit * net_->scale[2 + head] + net_->shift[2 + head])));
    }

    // The outputs' weights lie a row each, since there are only two.
    void at_positions(int64_t size, const float* shared, Predictions& out) {
        const int64_t wide = channel();
        const float *click = net_->item_out.weight, *buy = click + wide;
        float* position = position_.need(0);
        for (int64_t at = 0; at < size; at++) {
            Vector clicks{}, buys{};
            for (int64_t lane = 0; lane < wide; lane += LANES) {
                const Vector inside = most(load(position + at * wide + lane) + load(shared + lane), Vector{});
                clicks += inside * load(click + lane);
                buys += inside * load(buy + lane);
            }
            out.click[at] = (sum(clicks) + net_->item_out.bias[0]) * net_->scale[0] + net_->shift[0];
            out.purchase[at] = (sum(buys) + net_->item_out.bias[1]) * net_->scale[1] + net_->shift[1];
        }
        std::fill(out.click + size, out.click + up(size), 0.0f);
        std::fill(out.purchase + size, out.purchase + up(size), 0.0f);
        float mean = 0;
        for (int64_t at = 0; at < size; at++) mean += net_->examination[at] / static_cast<float>(size);
        for (int64_t at = 0; at < size; at += LANES) {
            const Vector examined = net_->averaged ? all(mean) : load(net_->examination + at);
            const Vector clicks = examined * sigmoid(load(out.click + at));
            store(out.click + at, clicks);
            store(out.purchase + at, clicks * sigmoid(load(out.purchase + at)));
        }
    }

    const EvaluatorNet* net_ = nullptr;
    int64_t stride_ = 0, pairs_ = 0, known_ = 0, kept_known_ = 0;
    int64_t slate_[MAX_SLATE];
    Buffer input_, read_, total_, narrow_, given_, own_, like_, turned_, pair_, attend_, value_, met_, state_, kept_,
        recurred_, seen_, position_, whole_, shared_, inside_;
};

}  // namespace ranker
