// The actor: `ranker.augment`, `ranker.encoder` and `ranker.decoder`, a slate at a time.
#pragma once

#include <cstring>

#include "request.h"

namespace ranker {

constexpr int64_t RELATIONS = 6;
constexpr int64_t CONTEXT = RELATIONS + 4;
constexpr int64_t AUGMENTED = RELATIONS + 5;

struct ActorNet {
    Reader read;
    Layer phi;
    Layer own;
    Layer others;
    Layer start;
    Layer query;
    Layer progress;
    Layer given;
    Layer kept;
    int64_t hidden;
    int64_t attention;
};

// What the weights make, one block of floats: the parts follow one another in this order.
struct Sensitive {
    const float *key, *direct, *start, *context, *passed, *value;

    Sensitive(const float* theta, int64_t hidden, int64_t attention) {
        key = theta;
        direct = key + hidden * up(attention);
        start = direct + up(hidden);
        context = start + up(hidden);
        passed = context + CONTEXT * up(attention);
        value = passed + up(CONTEXT);
    }
};

// What item `first` means for item `second`: `ranker.relations`.
inline void relate(const Request& request, int64_t first, int64_t second, float* relation) {
    relation[0] = request.seller[first] == request.seller[second];
    relation[1] = request.category[first] == request.category[second];
    relation[2] = request.group[first] > request.group[second];
    relation[3] = request.group[first] < request.group[second];
    relation[4] = request.is_new[first] && request.is_new[second];
    relation[5] = !request.is_new[first] && request.is_new[second];
}

inline float sign(float one, float other) { return static_cast<float>(one > other) - static_cast<float>(one < other); }

inline void augment(const Request& request, float* augmented) {
    const int64_t candidates = request.candidates;
    float count = 0, highest = 0, total = 0, square = 0;
    for (int64_t one = 0; one < candidates; one++) {
        if (!request.valid[one]) continue;
        count++;
        highest = std::max(highest, request.price[one]);
        total += std::log1p(request.price[one]);
    }
    count = std::max(count, 1.0f);
    const float others = std::max(count - 1, 1.0f), mean = total / count;
    for (int64_t one = 0; one < candidates; one++) {
        const float centred = std::log1p(request.price[one]) - mean;
        if (request.valid[one]) square += centred * centred;
    }
    const float spread = std::max(std::sqrt(square / count), TINY);
    for (int64_t one = 0; one < candidates; one++) {
        float* to = augmented + one * AUGMENTED;
        std::fill(to, to + AUGMENTED, 0.0f);
        if (!request.valid[one]) continue;
        float relation[RELATIONS];
        for (int64_t other = 0; other < candidates; other++) {
            if (!request.valid[other] || other == one) continue;
            relate(request, other, one, relation);
            for (int64_t kind = 0; kind < RELATIONS; kind++) to[kind] += relation[kind];
            to[6] += sign(request.price[one], request.price[other]);
            to[7] += sign(request.age_days[one], request.age_days[other]);
        }
        for (int64_t kind = 0; kind < RELATIONS + 2; kind++) to[kind] /= others;
        to[8] = request.price[one] / std::max(highest, TINY);
        to[9] = (std::log1p(request.price[one]) - mean) / (3 * spread);
        to[10] = std::log(count) / std::log(static_cast<float>(MAX_CANDIDATES));
    }
}

// Writes slates for one request; `see` comes first.
class Writer {
  public:
    void see(const ActorNet& net, const Request& request, const float* theta) {
        net_ = &net;
        request_ = &request;
        theta_ = Sensitive(theta, net.hidden, net.attention);
        encode();
        const int64_t stride = up(net.attention), wide = up(net.hidden);
        float* key = key_.need(request.candidates * stride);
        std::memset(key, 0, request.candidates * stride * sizeof(float));
        multiply(item_.need(0), wide, request.candidates, theta_.key, stride, net.hidden, key, stride);
        for (int64_t one = 0; one < request.candidates; one++)
            direct_[one] = dot(item_.need(0) + one * wide, theta_.direct, wide);
        given_known_ = given_.need(request.candidates * net.given.stride());
        std::fill(is_given_, is_given_ + request.candidates, false);
    }

    // The greedy slate, or one drawn by noise: a row of `MAX_CANDIDATES` a slot, by the candidates' ranks.
    void write(const Openings& openings, const float* noise, int64_t* slate) {
        begin(openings.size);
        bool taken[MAX_CANDIDATES] = {};
        for (int64_t slot = 0; slot < openings.size; slot++) {
            int64_t best = openings.pin[slot];
            if (best < 0) {
                ask(slot);
                float highest = 0;
                for (int64_t one = 0; one < request_->candidates; one++) {
                    if (taken[one] || !openings.open[one]) continue;
                    float score = this->score(one);
                    if (noise != nullptr) score += noise[slot * MAX_CANDIDATES + rank_[one]];
                    if (best < 0 || score > highest) best = one, highest = score;
                }
            }
            slate[slot] = best;
            taken[best] = true;
            if (slot + 1 < openings.size) take(best);
        }
    }

    // Ranks the valid candidates by their score for the first slot, masks aside: what noise goes by.
    void rank(int64_t size) {
        begin(size);
        ask(0);
        int64_t order[MAX_CANDIDATES], count = 0;
        float score[MAX_CANDIDATES];
        for (int64_t one = 0; one < request_->candidates; one++) {
            rank_[one] = 0;
            if (!request_->valid[one]) continue;
            score[one] = this->score(one);
            order[count++] = one;
        }
        std::stable_sort(order, order + count, [&](int64_t one, int64_t other) { return score[one] > score[other]; });
        for (int64_t place = 0; place < count; place++) rank_[order[place]] = place;
    }

  private:
    void encode() {
        const int64_t candidates = request_->candidates, wide = up(net_->hidden);
        float* augmented = augmented_.need(candidates * AUGMENTED);
        augment(*request_, augmented);
        float* read = read_.need(candidates * net_->read.item.stride());
        float* inputs = input_.need(candidates * net_->read.item.in);
        read_items(net_->read, *request_, augmented, inputs, read);
        float* phi = phi_.need(candidates * wide);
        apply(net_->phi, read, net_->read.item.stride(), candidates, phi);
        relu(phi, candidates * wide);
        float* mean = mean_.need(wide);
        std::memset(mean, 0, wide * sizeof(float));
        int64_t count = 0;
        for (int64_t one = 0; one < candidates; one++) {
            if (!request_->valid[one]) continue;
            count++;
            for (int64_t at = 0; at < wide; at += LANES) store(mean + at, load(mean + at) + load(phi + one * wide + at));
        }
        for (int64_t at = 0; at < wide; at += LANES) store(mean + at, load(mean + at) / std::max<float>(count, 1));
        float* shared = shared_.need(wide);
        apply(net_->others, mean, wide, 1, shared);
        for (int64_t at = 0; at < wide; at += LANES)
            store(shared + at, load(shared + at) + load(net_->own.bias + at));
        float* item = item_.need(candidates * wide);
        for (int64_t one = 0; one < candidates; one++) copy(shared, wide, item + one * wide);
        multiply(phi, wide, candidates, net_->own.weight, wide, net_->hidden, item, wide);
        relu(item, candidates * wide);
        apply(net_->start, mean, wide, 1, start_.need(wide));
        for (int64_t at = 0; at < wide; at += LANES)
            store(start_.need(0) + at, tanh(load(start_.need(0) + at) + load(theta_.start + at)));
    }

    void begin(int64_t size) {
        const int64_t wide = up(net_->hidden);
        size_ = size;
        copy(start_.need(0), wide, state_.need(wide));
        std::memset(context_, 0, sizeof context_);
    }

    // What the state and the slot add to every candidate's key.
    void ask(int64_t slot) {
        const int64_t stride = up(net_->attention);
        const float before = static_cast<float>(slot) / static_cast<float>(size_);
        const float progress[3] = {before, 1 - before, 1.0f / static_cast<float>(size_)};
        float* query = query_.need(stride);
        apply(net_->progress, progress, 3, 1, query);
        multiply(state_.need(0), up(net_->hidden), 1, net_->query.weight, stride, net_->hidden, query, stride);
    }

    float score(int64_t one) {
        const int64_t stride = up(net_->attention);
        const float *key = key_.need(0) + one * stride, *query = query_.need(0), *context = context_[one];
        Vector total{};
        for (int64_t at = 0; at < stride; at += LANES) {
            Vector met = load(key + at) + load(query + at);
            for (int64_t kind = 0; kind < CONTEXT; kind++)
                met += all(context[kind]) * load(theta_.context + kind * stride + at);
            total += tanh(met) * load(theta_.value + at);
        }
        return direct_[one] + sum(total + load(context) * load(theta_.passed));
    }

    void take(int64_t chosen) {
        const int64_t wide = up(net_->hidden), gates = net_->given.stride();
        float *given = given_known_ + chosen * gates, *kept = kept_.need(gates), *state = state_.need(0);
        if (!is_given_[chosen]) apply(net_->given, item_.need(0) + chosen * wide, wide, 1, given);
        is_given_[chosen] = true;
        apply(net_->kept, state, wide, 1, kept);
        recur(given, kept, state, net_->hidden, state);
        for (int64_t one = 0; one < request_->candidates; one++) {
            if (!request_->valid[one]) continue;
            float relation[RELATIONS], *context = context_[one];
            relate(*request_, chosen, one, relation);
            for (int64_t kind = 0; kind < RELATIONS; kind++)
                context[kind] += relation[kind] / static_cast<float>(size_);
            context[6] = context[0] > 0;
            context[7] = context[1] > 0;
            context[8] = relation[0];
            context[9] = relation[1];
        }
    }

    const ActorNet* net_ = nullptr;
    const Request* request_ = nullptr;
    Sensitive theta_{nullptr, 0, 0};
    int64_t size_ = 0;
    Buffer augmented_, input_, read_, phi_, mean_, shared_, item_, start_, key_, given_, state_, query_, kept_;
    float* given_known_ = nullptr;
    bool is_given_[MAX_CANDIDATES];
    int64_t rank_[MAX_CANDIDATES];
    float direct_[MAX_CANDIDATES];
    alignas(64) float context_[MAX_CANDIDATES][LANES];
};

}  // namespace ranker
