/* The picture of two teeth: text that every browser takes, curves where they belong. */
#include "check.h"
#include "launch.h"

static char *picture(const char *edge, const char *tooth, const char *set) {
    launched r;
    launch_with(&r, "figure", "waveforms", "examples/selflearn-4.yaml", "--edge", edge, "--tooth", tooth, "--set", set,
                NULL);
    if (r.exit != 0) fail_msg("%s", r.err);
    char *const text = strdup(r.out);
    launch_free(&r);
    return text;
}

/* Tags open and close in order, attributes are quoted. */
static void check_nesting(const char *s) {
    char open[16][16];
    int depth = 0;
    while ((s = strchr(s, '<'))) {
        const char *const end = strchr(s, '>');
        assert_non_null(end);
        char name[16] = "";
        const bool closing = s[1] == '/';
        sscanf(s + 1 + closing, "%15[a-z]", name);
        if (closing) {
            assert_true(depth > 0);
            assert_string_equal(open[--depth], name);
        } else if (end[-1] != '/') {
            assert_true(depth < 16);
            strcpy(open[depth++], name);
        }
        int quotes = 0;
        for (const char *c = s; c < end; c++) quotes += *c == '"';
        assert_int_equal(quotes % 2, 0);
        s = end;
    }
    assert_int_equal(depth, 0);
}

/* Corners of all curves of a colour, in order; all must lie on the sheet. */
static int curve(const char *svg, const char *colour, double (*p)[2], int most, int *n_part) {
    char want[40];
    int n = 0;
    *n_part = 0;
    snprintf(want, sizeof want, "stroke=\"%s\"", colour);
    for (const char *s = svg; (s = strstr(s, "<path fill=\"none\" d=\"")); s++) {
        const char *const end = strstr(s, "/>");
        const char *const mine = strstr(s, want);
        if (!mine || mine > end) continue;
        ++*n_part;
        for (const char *c = strchr(s, 'M'); *c == 'M' || *c == 'L';) {
            char *next;
            const double x = strtod(c + 1, &next), y = strtod(next, &next);
            if (!(x >= 70 && x <= 1000 && y >= 100 && y <= 1000)) fail_msg("%g %g lies off the sheet", x, y);
            assert_true(n < most);
            p[n][0] = x, p[n++][1] = y;
            c = next;
        }
    }
    return n;
}

static void a_picture_holds_all_curves(void **state) {
    (void)state;
    char *const svg = picture("R4", "2", "seed=1"), *const again = picture("R4", "2", "seed=1");
    assert_string_equal(svg, again);
    assert_true(strncmp(svg, "<svg xmlns=", 11) == 0);
    check_nesting(svg);
    static const char *const COLOUR[] = { "#444444", "#0072b2", "#c1440e", "#00795a", "#8a4f9e" };
    static double p[5][20000][2];
    int n[5], parts;
    for (int k = 0; k < 5; k++) {
        n[k] = curve(svg, COLOUR[k], p[k], 20000, &parts);
        assert_int_equal(parts, 6);
        assert_true(n[k] >= 12);
    }
    assert_non_null(strstr(svg, "tooth 2"));
    assert_non_null(strstr(svg, "tooth 3"));
    assert_non_null(strstr(svg, "edge R4"));
    int dashes = 0;
    for (const char *s = svg; (s = strstr(s, "stroke-dasharray")); s++) dashes++;
    assert_int_equal(dashes, 2 * 2 * 6 + 1); /* both panels, both signs, all parts, and the legend */
    /* h goes all the way; w falls twice (down on paper means larger numbers) and rests in between */
    double high = 1e9, low = 0;
    for (int i = 0; i < n[0]; i++) high = fmin(high, p[0][i][1]), low = fmax(low, p[0][i][1]);
    assert_true(low - high > 50);
    for (int i = 1; i < n[4]; i++) assert_true(p[4][i][1] >= p[4][i - 1][1] - 0.11);
    assert_true(p[4][n[4] - 1][1] > p[4][0][1] + 50);
    free(svg);
    free(again);
}

/* Without a dead zone there is no threshold to draw; names of edges are escaped. */
static void pictures_follow_the_settings(void **state) {
    (void)state;
    char *const svg = picture("R1", "1", "memory.nonlinearity=none");
    assert_null(strstr(svg, "stroke-dasharray"));
    check_nesting(svg);
    free(svg);
}

static void refused(const char *const *argv, const char *want) {
    launched r;
    launch(&r, argv, NULL, NULL);
    if (r.exit == 0 || !strstr(r.err, want)) fail_msg("%d %s", r.exit, r.err);
    launch_free(&r);
}

/* Numbers as people write them: 3*0.1 is not 0.30000000000000004, and nothing is squared with its prefix. */
static void labels_are_short(void **state) {
    (void)state;
    char *const svg = picture("R4", "2", "memory.threshold=9m");
    assert_non_null(strstr(svg, "dead zone, \xce\xb8 = 0.009 V\xc2\xb2/s</text>"));
    for (const char *p = svg; (p = strstr(p, "text-anchor=\"end\">")); p++) {
        const char *const from = strchr(p, '>') + 1;
        if (strcspn(from, "<") > 12) fail_msg("a label at the axis is %.*s", (int)strcspn(from, "<"), from);
    }
    free(svg);
}

static void what_cannot_be_drawn_is_refused(void **state) {
    (void)state;
#define E "examples/selflearn-4.yaml"
    refused((const char *const[]){ "figure", "waveforms", NULL }, "which experiment");
    refused((const char *const[]){ "figure", "waveforms", "--edge", "R9", E, NULL }, "E380");
    refused((const char *const[]){ "figure", "waveforms", "--edge", "RL", E, NULL }, "does not learn");
    refused((const char *const[]){ "figure", "waveforms", "--tooth", "2400", E, NULL }, "E380");
    refused((const char *const[]){ "figure", "waveforms", "--set", "learning.rule=eqprop", E, NULL }, "E370");
    refused((const char *const[]){ "figure", "gauge", E, NULL }, "takes no file");
    refused((const char *const[]){ "figure", "waveform", E, NULL }, "waveforms");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_holds_all_curves),
        cmocka_unit_test(pictures_follow_the_settings),
        cmocka_unit_test(labels_are_short),
        cmocka_unit_test(what_cannot_be_drawn_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
