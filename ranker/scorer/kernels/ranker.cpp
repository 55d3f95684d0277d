// What Python calls: greedy slates, and all lists of which the best is shown. Rows are independent, no call keeps
// anything but scratch memory of its thread.
#include "actor.h"
#include "rivals.h"

using namespace ranker;

// What a request is ranked for; rows of the greedy path leave the evaluator's part out.
struct Task {
    const ActorNet* actor;
    const EvaluatorNet* evaluator;
    const Utilities* utilities;
    const Batch* batch;
    const float* const* theta;  // a row
    const float* weights;       // (B, K) on the simplex
    const float* noise;         // (samples, MAX_SLATE, MAX_CANDIDATES)
    const double* trade_offs;
    const double* temperatures;
    int64_t size;
    int64_t samples;
    int64_t greedy;
    int64_t trade_off_count;
    int64_t temperature_count;
    int64_t neighbours;
    int64_t sweeps;
    int64_t greedy_positions;
    int64_t sweep_positions;
    int64_t lists;     // a row: all of the above and the improved one
    int64_t* slate;    // (B, lists, size)
    float* reward;     // (B, lists)
    float* utility;    // (B, lists, K)
};

namespace {

thread_local Writer writer;
thread_local Judge judge;
thread_local Rivals rivals;

void rank_row(const Task& task, int64_t row) {
    const Request request(*task.batch, row);
    const Openings openings(request, task.size);
    const int64_t count = task.utilities->count;
    int64_t* first = task.slate + row * task.lists * task.size;
    float *reward = task.reward + row * task.lists, *utility = task.utility + row * task.lists * count;
    int64_t* next = first;
    writer.see(*task.actor, request, task.theta[row]);
    writer.write(openings, nullptr, next);
    next += task.size;
    if (task.samples > 0) writer.rank(task.size);
    for (int64_t sample = 0; sample < task.samples; sample++, next += task.size)
        writer.write(openings, task.noise + sample * MAX_SLATE * MAX_CANDIDATES, next);
    judge.see(*task.evaluator, *task.utilities, request, task.weights + row * count);
    rivals.see(request, openings, judge);
    if (task.greedy) rivals.greedy(task.greedy_positions, next), next += task.size;
    for (int64_t one = 0; one < task.trade_off_count; one++, next += task.size) rivals.mmr(task.trade_offs[one], next);
    for (int64_t one = 0; one < task.temperature_count; one++, next += task.size)
        rivals.dpp(task.temperatures[one], next);
    const int64_t known = (next - first) / task.size;
    for (int64_t list = 0; list < known; list++)
        reward[list] = judge.values(first + list * task.size, task.size, utility + list * count);
    if (known < task.lists) {
        const int64_t best = std::max_element(reward, reward + known) - reward;
        std::copy_n(first + best * task.size, task.size, next);
        rivals.improve(next, reward[best], task.neighbours, task.sweeps, task.sweep_positions);
        reward[known] = judge.values(next, task.size, utility + known * count);
    }
}

}  // namespace

extern "C" {

void ranker_greedy(const Task* task, int64_t from, int64_t to) {
    for (int64_t row = from; row < to; row++) {
        const Request request(*task->batch, row);
        const Openings openings(request, task->size);
        writer.see(*task->actor, request, task->theta[row]);
        writer.write(openings, nullptr, task->slate + row * task->size);
    }
}

void ranker_rank(const Task* task, int64_t from, int64_t to) {
    for (int64_t row = from; row < to; row++) rank_row(*task, row);
}
}
