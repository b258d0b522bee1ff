/* Times a kernel that wasm2c has translated, as the self-timing guests do. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "kernel.h"

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int main(int argc, char **argv) {
    static Z_kernel_instance_t instance;
    uint64_t best = UINT64_MAX;
    uint32_t sum = 0;
    wasm_rt_init();
    Z_kernel_init_module();
    Z_kernel_instantiate(&instance);
    for (int round = argc > 2 ? atoi(argv[2]) : 1; round > 0; round--) {
        uint64_t start = now();
        sum = Z_kernelZ_kernel(&instance, 0);
        start = now() - start;
        if (start < best) best = start;
    }
    printf("%s 1 %llu %u\n", argc > 1 ? argv[1] : "kernel", (unsigned long long)best, sum);
    return 0;
}
