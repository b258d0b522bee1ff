/* The native import of convert.wat, and a call of its export. */
#include "convert.h"
#include <stdio.h>
#include <string.h>
void my_host_convert__describe(const my_host_convert__point *p, const wasmelt_option_string *name,
                               const uint16_t *list, size_t list_len,
                               wasmelt_result_string_u32 *out) {
    char *text = (char *)wasmelt_alloc(100);
    if (!name->is_some) {
        out->is_err = 1;
        out->as.err = (uint32_t)(p->x - p->y);
        return;
    }
    out->is_err = 0;
    out->as.ok.len = (size_t)sprintf(text, "%d %d %.*s %u %u", (int)p->x, (int)p->y,
        (int)name->value.len, name->value.bytes, (unsigned)list_len, (unsigned)list[2]);
    out->as.ok.bytes = text;
}
int main(void) {
    wasmelt_result_string_u32 result;
    root__run(1, &result);
    printf("%d %.*s\n", result.is_err, (int)result.as.ok.len, result.as.ok.bytes);
    root__run(0, &result);
    printf("%d %u\n", result.is_err, (unsigned)result.as.err);
    return 0;
}
