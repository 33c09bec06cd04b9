/* test_explain.c: every code that a message can carry is in the catalogue. */
#include "base/base.h"
#include "check.h"

#include <glob.h>

/* The number that stands at p, if a comma follows it. */
static int code_at(const char *p) {
    char *end;
    while (*p == ' ' || *p == '\n') p++;
    const long n = strtol(p, &end, 10);
    return end > p && *end == ',' && n > 0 && n < 1000 ? (int)n : 0;
}

/* Codes stand behind a status: RHEO_E_RANGE, 305, ... and behind the first argument of the calls below. */
static int check_file(const char *path) {
    char *text = NULL;
    size_t n;
    int seen = 0;
    rheo_error err = { 0 };
    if (rh_file_read(path, 1 << 24, &text, &n, &err) != RHEO_OK) fail_msg("%s: %s", path, err.msg);
    for (const char *p = text; (p = strstr(p, "RHEO_E_")); p++) {
        const char *const comma = strchr(p, ',');
        if (!comma || strcspn(p, " ;)") < (size_t)(comma - p)) continue;
        const int code = code_at(comma + 1);
        seen += code > 0;
        if (code > 0 && !rheo_explain(code, NULL)) fail_msg("%s: E%03d is not in the catalogue", path, code);
    }
    static const char *const CALLS[] = { "rh_warn(", "rh_report_warning(", "rh_bad(", "rh_bad_limit(" };
    for (int k = 0; k < RH_COUNT(CALLS); k++)
        for (const char *p = text; (p = strstr(p, CALLS[k])); p++) {
            const char *const comma = strchr(p, ',');
            const int code = comma && comma - p < 40 ? code_at(comma + 1) : 0;
            seen += code > 0;
            if (code > 0 && !rheo_explain(code, NULL)) fail_msg("%s: E%03d is not in the catalogue", path, code);
        }
    rh_free(text);
    return seen;
}

static void every_code_is_explained(void **state) {
    (void)state;
    glob_t files;
    if (glob("src/*/*.c", 0, NULL, &files) != 0) skip(); /* not run from the top of the sources */
    int seen = 0;
    for (size_t i = 0; i < files.gl_pathc; i++) seen += check_file(files.gl_pathv[i]);
    globfree(&files);
    assert_true(seen > 100);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_code_is_explained) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
