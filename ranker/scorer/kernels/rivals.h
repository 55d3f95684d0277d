// Lists that compete with the actor's: `ranker.scorer.rivals` is their reference, and says what they are.
#pragma once

#include <limits>

#include "worth.h"

namespace ranker {

constexpr double JITTER = 0.1;
constexpr double SMALLEST_VOLUME = 1e-12;
constexpr float LEAST_GAIN = 1e-6f;

class Rivals {
  public:
    void see(const Request& request, const Openings& openings, Judge& judge) {
        request_ = &request;
        openings_ = &openings;
        judge_ = &judge;
        for (int64_t one = 0; one < request.candidates; one++)
            alone_[one] = request.allowed(one) ? judge.reward(&one, 1) : 0.0f;
        count_ = 0;
        for (int64_t one = 0; one < request.candidates; one++)
            if (openings.open[one]) order_[count_++] = one;
        std::stable_sort(order_, order_ + count_,
                         [&](int64_t one, int64_t other) { return alone_[one] > alone_[other]; });
    }

    // Slot by slot what makes the slate so far worth most, of the most valued items that aren't shown.
    void greedy(int64_t positions, int64_t* slate) {
        const int64_t size = openings_->size, breadth = std::max<int64_t>(1, positions / (size * (size + 1) / 2));
        for (int64_t slot = 0; slot < size; slot++) {
            int64_t best = openings_->pin[slot], tried = 0;
            float highest = 0;
            for (int64_t place = 0; openings_->pin[slot] < 0 && place < count_ && tried < breadth; place++) {
                const int64_t one = order_[place];
                if (std::find(slate, slate + slot, one) != slate + slot) continue;
                tried++;
                slate[slot] = one;
                const float value = slot > 0 ? judge_->reward(slate, slot + 1) : alone_[one];
                if (best < 0 || value > highest) best = one, highest = value;
            }
            slate[slot] = best;
        }
    }

    // Maximal marginal relevance (Carbonell and Goldstein 1998).
    void mmr(double trade_off, int64_t* slate) {
        double low = std::numeric_limits<double>::infinity(), high = -low, nearest[MAX_CANDIDATES] = {};
        for (int64_t one = 0; one < request_->candidates; one++) {
            if (!request_->allowed(one)) continue;
            low = std::min<double>(low, alone_[one]);
            high = std::max<double>(high, alone_[one]);
        }
        const double spread = high > low ? high - low : 1.0;
        fill(slate, [&](int64_t one, int64_t slot) {
            if (slot > 0) nearest[one] = std::max(nearest[one], alike(slate[slot - 1], one));
            return trade_off * ((alone_[one] - low) / spread) - (1 - trade_off) * nearest[one];
        });
    }

    // Greedy MAP of a determinantal point process (Chen, Zhang and Zhou 2018).
    void dpp(double temperature, int64_t* slate) {
        double quality[MAX_CANDIDATES], volume[MAX_CANDIDATES], highest = -1;
        for (int64_t one = 0; one < request_->candidates; one++)
            if (request_->allowed(one)) highest = std::max<double>(highest, alone_[one]);
        for (int64_t one = 0; one < request_->candidates; one++) {
            quality[one] = request_->allowed(one) ? std::exp(temperature * (alone_[one] - highest)) : 0.0;
            volume[one] = quality[one] * quality[one] * (1 + JITTER);
        }
        double* factor = factor_;
        fill(slate, [&](int64_t one, int64_t slot) {
            if (slot > 0) reduce(slate[slot - 1], one, slot - 1, quality, volume, factor);
            return std::max(volume[one], 0.0);
        }, [&](int64_t slot, int64_t chosen) {
            // A pinned item was never asked for, and its row is needed as well.
            for (int64_t before = 0; before < slot; before++)
                if (!(openings_->open[chosen])) reduce(slate[before], chosen, before, quality, volume, factor);
            root_[slot] = std::sqrt(std::max(volume[chosen], SMALLEST_VOLUME));
        });
    }

    // Sweeps over the free slots: the best of an exchange for one of the most valued items that aren't shown, or a swap
    // with a later free slot, as long as it gains and `positions` are left to value.
    void improve(int64_t* slate, float reward, int64_t neighbours, int64_t sweeps, int64_t positions) {
        left_ = positions;
        for (int64_t sweep = 0; sweep < sweeps; sweep++) {
            const float before = reward;
            for (int64_t slot = 0; slot < openings_->size; slot++)
                if (openings_->pin[slot] < 0 && left_ > 0) reward = change(slate, reward, slot, neighbours);
            if (!(reward > before)) break;
        }
    }

  private:
    float change(int64_t* slate, float reward, int64_t slot, int64_t neighbours) {
        const int64_t size = openings_->size, old = slate[slot];
        int64_t exchange = -1, swap = -1, tried = 0;
        float best = reward + LEAST_GAIN;
        for (int64_t place = 0; place < count_ && tried < neighbours; place++) {
            const int64_t one = order_[place];
            if (std::find(slate, slate + size, one) != slate + size) continue;
            tried++;
            slate[slot] = one;
            const float value = judge_->reward(slate, size);
            slate[slot] = old;
            if (value > best) best = value, exchange = one;
        }
        for (int64_t other = slot + 1; other < size; other++) {
            if (openings_->pin[other] >= 0) continue;
            tried++;
            std::swap(slate[slot], slate[other]);
            const float value = judge_->reward(slate, size);
            std::swap(slate[slot], slate[other]);
            if (value > best) best = value, swap = other;
        }
        left_ -= tried * size;
        if (swap >= 0)
            std::swap(slate[slot], slate[swap]);
        else if (exchange >= 0)
            slate[slot] = exchange;
        else
            return reward;
        return best;
    }

    // Fills the slots with the open item of the highest gain, the first of equals, and calls `after` with each.
    template <class Gain, class After>
    void fill(int64_t* slate, Gain gain, After after) {
        bool taken[MAX_CANDIDATES] = {};
        for (int64_t slot = 0; slot < openings_->size; slot++) {
            int64_t best = openings_->pin[slot];
            decltype(gain(0, 0)) highest = 0;
            const bool pinned = best >= 0;
            for (int64_t one = 0; one < request_->candidates; one++) {
                if (taken[one] || !openings_->open[one]) continue;
                const auto value = gain(one, slot);
                if (!pinned && (best < 0 || value > highest)) best = one, highest = value;
            }
            slate[slot] = best;
            taken[best] = true;
            after(slot, best);
        }
    }

    template <class Gain>
    void fill(int64_t* slate, Gain gain) {
        fill(slate, gain, [](int64_t, int64_t) {});
    }

    double alike(int64_t one, int64_t other) const {
        return 0.5 * (request_->seller[one] == request_->seller[other]) +
               0.5 * (request_->category[one] == request_->category[other]);
    }

    void reduce(int64_t shown, int64_t one, int64_t slot, const double* quality, double* volume, double* factor) {
        double met = quality[shown] * alike(shown, one) * quality[one];
        for (int64_t before = 0; before < slot; before++)
            met -= factor[one * MAX_SLATE + before] * factor[shown * MAX_SLATE + before];
        factor[one * MAX_SLATE + slot] = met / root_[slot];
        volume[one] -= factor[one * MAX_SLATE + slot] * factor[one * MAX_SLATE + slot];
    }

    const Request* request_ = nullptr;
    const Openings* openings_ = nullptr;
    Judge* judge_ = nullptr;
    int64_t count_ = 0, left_ = 0;
    int64_t order_[MAX_CANDIDATES];  // open items, the most valued on their own first
    float alone_[MAX_CANDIDATES];
    double factor_[MAX_CANDIDATES * MAX_SLATE];
    double root_[MAX_SLATE];
};

}  // namespace ranker
