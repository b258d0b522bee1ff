/* Calls a component's exports, and gives it the function that it imports. */

#include "shapes.h"
#include <stdio.h>
#include <string.h>

/* The component calls this: a function like any other. */
uint32_t my_shapes_log__line(const char *text, size_t text_len) {
    printf("the component says: %.*s\n", (int)text_len, text);
    return (uint32_t)text_len;
}

static void show_division(int32_t a, int32_t b) {
    wasmelt_result_s32_string result;
    my_shapes_shapes__divide(a, b, &result);
    if (result.is_err) {
        printf("%d / %d: %.*s\n", (int)a, (int)b, (int)result.as.err.len, result.as.err.bytes);
    } else {
        printf("%d / %d = %d\n", (int)a, (int)b, (int)result.as.ok);
    }
}

static void show_points(void) {
    my_shapes_shapes__point points[3] = {{0, 0}, {3, 0}, {0, 6}};
    my_shapes_shapes__point by = {1, -1};
    my_shapes_shapes__point moved;
    wasmelt_option_my_shapes_shapes__point centre;

    my_shapes_shapes__translate(&points[1], &by, &moved);
    printf("moved: %g, %g\n", moved.x, moved.y);
    my_shapes_shapes__centre(points, 3, &centre);
    printf("centre: %g, %g\n", centre.value.x, centre.value.y);
    my_shapes_shapes__centre(points, 0, &centre);
    printf("centre of nothing: %s\n", centre.is_some ? "some" : "none");
}

static void show_numbers(void) {
    wasmelt_list_u32 squares;
    size_t i;
    my_shapes_shapes__numbers(5, &squares);
    for (i = 0; i < squares.len; i++) {
        printf("%u ", (unsigned)squares.elements[i]);
    }
    printf("\n");
    /* The next call would do that too. */
    wasmelt_release();
}

static void show_canvas(void) {
    const char *name = "gr\xc3\xbc\xc3\x9f";
    my_shapes_shapes__canvas canvas = my_shapes_shapes__canvas__new(name, strlen(name));
    my_shapes_shapes__shape shape;
    wasmelt_string title;
    double area;

    shape.tag = my_shapes_shapes__shape__circle;
    shape.as.circle = 2;
    my_shapes_shapes__canvas__add(canvas, &shape, my_shapes_shapes__colour__red);
    shape.tag = my_shapes_shapes__shape__rectangle;
    shape.as.rectangle.f0 = 1.5;
    shape.as.rectangle.f1 = 4;
    area = my_shapes_shapes__canvas__add(canvas, &shape, my_shapes_shapes__colour__blue);
    my_shapes_shapes__canvas__title(canvas, &title);
    printf("%.*s: %g\n", (int)title.len, title.bytes, area);
    my_shapes_shapes__canvas__drop(canvas);
}

int main(void) {
    if (wasmelt_init() != 0) {
        fprintf(stderr, "the library's addresses are taken\n");
        return 1;
    }
    show_points();
    show_division(42, 5);
    show_division(1, 0);
    show_numbers();
    show_canvas();
    return 0;
}
