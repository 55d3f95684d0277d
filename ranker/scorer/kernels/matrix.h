// Dense arithmetic on rows whose lengths are rounded up to whole vectors.
//
// Matrices are row-major; `up(n)` floats lie from one row to the next where a row is a layer's output, and what pads
// it is 0. So no loop has a tail. Vectors are of GCC's own type: the compiler maps them to what the CPU has.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace ranker {

constexpr int64_t LANES = 16;
constexpr int64_t HALF = LANES / 2;

typedef float Vector __attribute__((vector_size(LANES * sizeof(float))));
typedef float Unaligned __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias));
typedef float Half __attribute__((vector_size(HALF * sizeof(float))));
typedef float UnalignedHalf __attribute__((vector_size(HALF * sizeof(float)), aligned(4), may_alias));
typedef int32_t Integers __attribute__((vector_size(LANES * sizeof(int32_t))));

inline int64_t up(int64_t count) { return (count + LANES - 1) / LANES * LANES; }
inline Vector load(const float* from) { return *reinterpret_cast<const Unaligned*>(from); }
inline void store(float* to, Vector value) { *reinterpret_cast<Unaligned*>(to) = value; }
inline Half load_half(const float* from) { return *reinterpret_cast<const UnalignedHalf*>(from); }
inline void store_half(float* to, Half value) { *reinterpret_cast<UnalignedHalf*>(to) = value; }
inline Vector all(float value) { return value - Vector{}; }
inline Vector least(Vector one, Vector other) { return one < other ? one : other; }
inline Vector most(Vector one, Vector other) { return one > other ? one : other; }

inline float sum(Vector value) {
    float total = 0;
    for (int lane = 0; lane < LANES; lane++) total += value[lane];
    return total;
}

// The rational approximation that Eigen uses: relative error below 1e-6.
inline Vector tanh(Vector x) {
    x = least(all(7.90531110763549805f), most(all(-7.90531110763549805f), x));
    const Vector square = x * x;
    Vector above = all(-2.76076847742355e-16f);
    above = above * square + 2.00018790482477e-13f;
    above = above * square + -8.60467152213735e-11f;
    above = above * square + 5.12229709037114e-08f;
    above = above * square + 1.48572235717979e-05f;
    above = above * square + 6.37261928875436e-04f;
    above = above * square + 4.89352455891786e-03f;
    Vector below = all(1.19825839466702e-06f);
    below = below * square + 1.18534705686654e-04f;
    below = below * square + 2.26843463243900e-03f;
    below = below * square + 4.89352518554385e-03f;
    return x * above / below;
}

// e^x = 2^n e^r with |r| <= ln 2 / 2 (Cephes): relative error below 2e-7.
inline Vector exp(Vector x) {
    x = least(all(88.0f), most(all(-87.0f), x));
    const Vector scaled = x * 1.44269504088896341f;
    const Integers n = __builtin_convertvector(scaled + (scaled < 0 ? all(-0.5f) : all(0.5f)), Integers);
    const Vector whole = __builtin_convertvector(n, Vector);
    const Vector r = x - whole * 0.693359375f + whole * 2.12194440e-4f;
    Vector y = all(1.9875691500e-4f);
    y = y * r + 1.3981999507e-3f;
    y = y * r + 8.3334519073e-3f;
    y = y * r + 4.1665795894e-2f;
    y = y * r + 1.6666665459e-1f;
    y = y * r + 5.0000001201e-1f;
    y = y * r * r + r + 1.0f;
    const Integers bits = (n + 127) << 23;
    return y * (Vector)bits;  // the bits as they are
}

inline Vector sigmoid(Vector x) { return 1.0f / (1.0f + exp(-x)); }

// An array that only grows, so that serving stops allocating after the largest request.
class Buffer {
  public:
    Buffer() = default;
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() { std::free(data_); }

    float* need(int64_t count) {
        count = up(count) + LANES;
        if (count > size_) {
            std::free(data_);
            data_ = static_cast<float*>(std::aligned_alloc(64, up(count) * sizeof(float)));
            if (data_ == nullptr) throw std::bad_alloc();
            size_ = count;
        }
        return data_;
    }

  private:
    float* data_ = nullptr;
    int64_t size_ = 0;
};

// y = W x + b; the weight lies as (in, up(out)), the bias is padded as well.
struct Layer {
    const float* weight;
    const float* bias;
    int64_t in;
    int64_t out;

    int64_t stride() const { return up(out); }
};

template <int ROWS, int VECTORS>
inline void block(const float* x, int64_t x_stride, const float* weight, int64_t stride, int64_t in, float* y,
                  int64_t y_stride) {
    Vector total[ROWS][VECTORS];
    for (int row = 0; row < ROWS; row++)
        for (int part = 0; part < VECTORS; part++) total[row][part] = load(y + row * y_stride + part * LANES);
    for (int64_t i = 0; i < in; i++) {
        Vector w[VECTORS];
        for (int part = 0; part < VECTORS; part++) w[part] = load(weight + i * stride + part * LANES);
        for (int row = 0; row < ROWS; row++) {
            const Vector own = all(x[row * x_stride + i]);
            for (int part = 0; part < VECTORS; part++) total[row][part] += own * w[part];
        }
    }
    for (int row = 0; row < ROWS; row++)
        for (int part = 0; part < VECTORS; part++) store(y + row * y_stride + part * LANES, total[row][part]);
}

template <int VECTORS>
inline void columns(const float* x, int64_t x_stride, int64_t rows, const float* weight, int64_t stride, int64_t in,
                    float* y, int64_t y_stride) {
    int64_t row = 0;
    for (; row + 4 <= rows; row += 4)
        block<4, VECTORS>(x + row * x_stride, x_stride, weight, stride, in, y + row * y_stride, y_stride);
    for (; row < rows; row++)
        block<1, VECTORS>(x + row * x_stride, x_stride, weight, stride, in, y + row * y_stride, y_stride);
}

// A single row: four sums at a time, since one would wait for itself.
template <int VECTORS>
inline void row(const float* x, const float* weight, int64_t stride, int64_t in, float* y) {
    Vector total[4][VECTORS] = {};
    int64_t i = 0;
    for (; i + 4 <= in; i += 4)
        for (int turn = 0; turn < 4; turn++)
            for (int part = 0; part < VECTORS; part++)
                total[turn][part] += all(x[i + turn]) * load(weight + (i + turn) * stride + part * LANES);
    for (; i < in; i++)
        for (int part = 0; part < VECTORS; part++)
            total[0][part] += all(x[i]) * load(weight + i * stride + part * LANES);
    for (int part = 0; part < VECTORS; part++)
        store(y + part * LANES, load(y + part * LANES) + ((total[0][part] + total[1][part]) +
                                                          (total[2][part] + total[3][part])));
}

// y += x W for rows of x; the columns are whole vectors.
inline void multiply(const float* x, int64_t x_stride, int64_t rows, const float* weight, int64_t stride, int64_t in,
                     float* y, int64_t y_stride) {
    int64_t at = 0;
    if (rows == 1) {
        for (; at + 2 * LANES <= stride; at += 2 * LANES) row<2>(x, weight + at, stride, in, y + at);
        for (; at < stride; at += LANES) row<1>(x, weight + at, stride, in, y + at);
        return;
    }
    for (; at + 2 * LANES <= stride; at += 2 * LANES)
        columns<2>(x, x_stride, rows, weight + at, stride, in, y + at, y_stride);
    for (; at < stride; at += LANES) columns<1>(x, x_stride, rows, weight + at, stride, in, y + at, y_stride);
}

inline void copy(const float* from, int64_t count, float* to) {
    for (int64_t at = 0; at < count; at += LANES) store(to + at, load(from + at));
}

inline void apply(const Layer& layer, const float* x, int64_t x_stride, int64_t rows, float* y) {
    const int64_t stride = layer.stride();
    for (int64_t row = 0; row < rows; row++) copy(layer.bias, stride, y + row * stride);
    multiply(x, x_stride, rows, layer.weight, stride, layer.in, y, stride);
}

inline void relu(float* value, int64_t count) {
    for (int64_t at = 0; at < count; at += LANES) store(value + at, most(load(value + at), Vector{}));
}

inline float dot(const float* one, const float* other, int64_t count) {
    Vector total{};
    for (int64_t at = 0; at < count; at += LANES) total += load(one + at) * load(other + at);
    return sum(total);
}

// Rows of `count` become columns, each padded to up(rows).
inline void transpose(const float* from, int64_t stride, int64_t rows, int64_t count, float* to) {
    const int64_t to_stride = up(rows);
    for (int64_t column = 0; column < count; column++)
        for (int64_t row = 0; row < to_stride; row++)
            to[column * to_stride + row] = row < rows ? from[row * stride + column] : 0.0f;
}

// One step of a GRU (Cho et al. 2014): each gate is padded to whole vectors, in the order reset, update, new.
inline void recur(const float* given, const float* kept, const float* before, int64_t width, float* after) {
    const int64_t stride = up(width);
    for (int64_t at = 0; at < stride; at += LANES) {
        const Vector reset = sigmoid(load(given + at) + load(kept + at));
        const Vector update = sigmoid(load(given + stride + at) + load(kept + stride + at));
        const Vector fresh = tanh(load(given + 2 * stride + at) + reset * load(kept + 2 * stride + at));
        store(after + at, fresh + update * (load(before + at) - fresh));
    }
}

}  // namespace ranker
