/* What the work of the guests costs in C: one line a case, as the guests print it. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint8_t caller[1 << 20], callee[1 << 20];

static inline uint32_t scalar(uint32_t address) {
    uint32_t value;
    memcpy(&value, callee + (address & 0xfffc), 4);
    return value;
}

/* The callee of the cases with memory: not inlined, since it is another component's. */
__attribute__((noinline)) static uint32_t sum_ends(const uint8_t *bytes, uint32_t len) {
    __asm__ volatile("" ::: "memory");
    return len + bytes[0];
}

static int is_ascii(const uint8_t *bytes, size_t len) {
    uint64_t all = 0, word;
    size_t at = 0;
    for (; at + 8 <= len; at += 8) {
        memcpy(&word, bytes + at, 8);
        all |= word;
    }
    for (; at < len; at++) all |= bytes[at];
    return !(all & 0x8080808080808080u);
}

static inline uint32_t string(uint32_t len) {
    if (!is_ascii(caller, len)) abort();
    memcpy(callee, caller, len);
    return sum_ends(callee, len);
}

static inline uint32_t list(uint32_t len) {
    memcpy(callee, caller, len);
    return sum_ends(callee, len);
}

__attribute__((noinline)) static void record(uint32_t *out, uint32_t a, uint32_t b, uint32_t c,
                                             uint32_t d, uint32_t e, uint32_t f, uint32_t g,
                                             uint32_t h, uint32_t i, uint32_t j) {
    out[0] = a + b, out[1] = b + c, out[2] = c + d, out[3] = d + e, out[4] = e + f;
    out[5] = f + g, out[6] = g + h, out[7] = h + i, out[8] = i + j, out[9] = j + a;
    __asm__ volatile("" ::: "memory");
}

#define MEASURE(name, calls, body)                                                 \
    do {                                                                           \
        uint64_t best = ~0ull, sum = 0;                                            \
        for (int round = 0; round < 301; round++) {                                \
            uint64_t start = now();                                                \
            sum = 0;                                                               \
            for (uint32_t i = 0; i < (calls); i++) { body; }                       \
            start = now() - start;                                                 \
            if (start < best) best = start;                                        \
        }                                                                          \
        printf("%s %d %llu %llu\n", name, calls, (unsigned long long)best,         \
               (unsigned long long)sum);                                           \
    } while (0)

int main(void) {
    uint32_t out[10];
    memset(caller, 'a', sizeof caller);
    memset(callee, 1, sizeof callee);
    MEASURE("scalar", 20000, sum += scalar(i << 2));
    MEASURE("rec10", 5000,
            record(out, i, i + 1, i + 2, i + 3, i + 4, i + 5, i + 6, i + 7, i + 8, i + 9);
            sum += out[0] ^ out[9]);
    MEASURE("str16", 10000, caller[0] = 65 + (i & 15); sum += string(16));
    MEASURE("str4k", 1000, caller[0] = 65 + (i & 15); sum += string(4096));
    MEASURE("list64k", 100, caller[0] = 65 + (i & 15); sum += list(65536));
    MEASURE("listrec", 1000, caller[0] = i; sum += list(256 * 24));
    uint64_t drawn;
    char byte = 'a';
    MEASURE("host-now", 3000, sum += now());
    MEASURE("host-random", 3000, sum += getrandom(&drawn, sizeof drawn, 0) == sizeof drawn);
    int null = open("/dev/null", O_WRONLY);
    MEASURE("host-write", 300, sum += write(null, &byte, 1) == 1);
    return 0;
}
