// R_w of slates: `ranker.utilities` over the evaluator's predictions.
#pragma once

#include "evaluator.h"

namespace ranker {

enum Kind : int64_t { CLICK, GMV, SATISFACTION, RETENTION, DIVERSITY, COLD_START, GROUP_ORDER };

constexpr int64_t MOST_UTILITIES = 32;

// One utility, and the range that it is stretched over.
struct Utility {
    int64_t kind;
    float setting;  // gmv: the cap, 0 for the highest price; diversity: 1 seller, 2 category, 3 both; cold_start: target
    float low;
    float high;
};

struct Utilities {
    int64_t count;
    const Utility* utility;
};

class Judge {
  public:
    void see(const EvaluatorNet& net, const Utilities& utilities, const Request& request, const float* weights) {
        utilities_ = &utilities;
        request_ = &request;
        weights_ = weights;
        oracle_.see(net, request);
        highest_ = 0;
        for (int64_t one = 0; one < request.candidates; one++)
            if (request.allowed(one)) highest_ = std::max(highest_, request.price[one]);
    }

    float reward(const int64_t* slate, int64_t size) {
        float utility[MOST_UTILITIES];
        return values(slate, size, utility);
    }

    // Fills in the utilities and gives the reward.
    float values(const int64_t* slate, int64_t size, float* out) {
        oracle_.predict(slate, size, predicted_);
        float total = 0;
        for (int64_t k = 0; k < utilities_->count; k++) {
            const Utility& utility = utilities_->utility[k];
            const float value = this->value(utility, slate, size);
            const bool whole = utility.low == 0 && utility.high == 1;
            out[k] = whole ? value : std::min(std::max((value - utility.low) / (utility.high - utility.low), 0.0f), 1.0f);
            total += weights_[k] * out[k];
        }
        return total;
    }

  private:
    float value(const Utility& utility, const int64_t* slate, int64_t size) const {
        const float count = static_cast<float>(size);
        float total = 0;
        switch (utility.kind) {
            case CLICK:
                for (int64_t at = 0; at < size; at++) total += predicted_.click[at];
                return total / count;
            case GMV: {
                const float cap = utility.setting > 0 ? utility.setting : highest_;
                if (!(cap > 0)) return 0;
                for (int64_t at = 0; at < size; at++)
                    total += predicted_.purchase[at] * std::min(request_->price[slate[at]] / cap, 1.0f);
                return total / count;
            }
            case SATISFACTION:
                return predicted_.satisfaction;
            case RETENTION:
                return predicted_.retention;
            case DIVERSITY:
                return variety(static_cast<int>(utility.setting), slate, size);
            case COLD_START:
                for (int64_t at = 0; at < size; at++) total += request_->is_new[slate[at]];
                return std::min(total / count / utility.setting, 1.0f);
            default:
                return ordered(slate, size);
        }
    }

    float variety(int attributes, const int64_t* slate, int64_t size) const {
        float total = 0;
        if (attributes & 1) total += differing(request_->seller, slate, size);
        if (attributes & 2) total += differing(request_->category, slate, size);
        return attributes == 3 ? total / 2 : total;
    }

    static float share(int64_t good, int64_t size) {
        return size < 2 ? 1.0f : static_cast<float>(good) / static_cast<float>(size * (size - 1) / 2);
    }

    static float differing(const int64_t* group, const int64_t* slate, int64_t size) {
        int64_t own[MAX_SLATE], good = 0;
        for (int64_t at = 0; at < size; at++) own[at] = group[slate[at]];
        for (int64_t at = 1; at < size; at++)
            for (int64_t before = 0; before < at; before++) good += own[before] != own[at];
        return share(good, size);
    }

    float ordered(const int64_t* slate, int64_t size) const {
        int64_t own[MAX_SLATE], good = 0;
        for (int64_t at = 0; at < size; at++) own[at] = request_->group[slate[at]];
        for (int64_t at = 1; at < size; at++)
            for (int64_t before = 0; before < at; before++) good += own[before] <= own[at];
        return share(good, size);
    }

    const Utilities* utilities_ = nullptr;
    const Request* request_ = nullptr;
    const float* weights_ = nullptr;
    float highest_ = 0;
    Oracle oracle_;
    Predictions predicted_;
};

}  // namespace ranker
