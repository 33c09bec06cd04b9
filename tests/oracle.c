/* oracle.c: the equations of a circuit written down a second time, from the letters of its elements. */
#include "oracle.h"

#include "check.h"

extern void dgesv_(const int *n, const int *nrhs, double *a, const int *lda, int *ipiv, double *b, const int *ldb,
                   int *info);

/* ---- cards ---- */

static int read_word(const char **p, char *word, size_t size) {
    size_t n = 0;
    while (**p == ' ') (*p)++;
    while (**p && **p != ' ' && **p != '\n' && n + 1 < size) word[n++] = *(*p)++;
    word[n] = '\0';
    return (int)n;
}

static double read_number(const char **p) {
    char word[64];
    const int n = read_word(p, word, sizeof(word));
    const rh_number x = rh_number_parse_all(word, (size_t)n);
    if (x.fault != RH_NUM_OK) fail_msg("card has the number '%s'", word);
    return x.value;
}

static bool at_word(const char **p) {
    while (**p == ' ') (*p)++;
    return **p && **p != '\n';
}

static void read_learn(rh_builder *b, int e, const char **p) {
    double bound[3] = { NAN, NAN, NAN };
    if (!at_word(p)) return;
    assert_int_equal(*(*p)++, '*');
    for (int i = 0; i < 3 && at_word(p); i++) bound[i] = read_number(p);
    assert_int_equal(rh_builder_learn(b, e, bound[0], bound[1], bound[2]), RHEO_OK);
}

static void read_card(rh_builder *b, const char *text, const char **p, int line, int file) {
    char name[64], node[64];
    int term[4] = { -1, -1, -1, -1 }, other;
    const char *const start = *p;
    read_word(p, name, sizeof(name));
    const int kind = rh_kind_of_letter(name[0]);
    assert_true(kind >= 0);
    for (int t = 0; t < RH_KINDS[kind]->n_term; t++) {
        const int n = read_word(p, node, sizeof(node));
        term[t] = rh_builder_node(b, node, (size_t)n);
    }
    const char *first = start;
    while (first > text && first[-1] != '\n') first--;
    const rh_place place = { line, (uint16_t)(start - first + 1), (uint16_t)file };
    const int e = rh_builder_element(b, kind, name, term, read_number(p), place, &other);
    if (e < 0) fail_msg("card %s: %d", name, e);
    read_learn(b, e, p);
}

static int add_text(rh_builder *b, const char *cards) {
    rh_source *src = rh_calloc(1, sizeof(*src));
    assert_non_null(src);
    *src = (rh_source){ rh_strdup("cards"), rh_strdup(cards), strlen(cards), true };
    return rh_builder_source(b, src);
}

rheo_circuit *oracle_circuit(const char *cards) {
    rh_builder *b = rh_builder_create();
    assert_non_null(b);
    const int file = add_text(b, cards);
    int line = 1;
    for (const char *p = cards; *p; line++) {
        if (at_word(&p)) read_card(b, cards, &p, line, file);
        if (*p == '\n') p++;
    }
    rheo_circuit *c = NULL;
    assert_int_equal(rh_builder_finish(b, &c, NULL), RHEO_OK);
    return c;
}

/* ---- the full equations ---- */

/* 34 digits where the compiler has them. */
#if defined(__SIZEOF_FLOAT128__)
typedef __float128 wide;
#else
typedef long double wide;
#endif

typedef struct dense {
    int n;
    wide *a, *b; /* column by column */
} dense;

/* Ground has index -1 and is left out. */
static void put(dense *d, int row, int col, wide x) {
    if (row >= 0 && col >= 0) d->a[row + col * d->n] += x;
}

static void put_b(dense *d, int row, double x) {
    if (row >= 0) d->b[row] += x;
}

/* g (v_p - v_q) from t0 to t1. What cancels exactly is left out, so that it takes no digits with it. */
static void put_current(dense *d, const int *t, int p, int q, double g) {
    if (t[0] == t[1] || p == q) return;
    put(d, t[0] - 1, p - 1, g);
    put(d, t[0] - 1, q - 1, -g);
    put(d, t[1] - 1, p - 1, -g);
    put(d, t[1] - 1, q - 1, g);
}

static void put_branch(dense *d, const int *t, int j) {
    put(d, t[0] - 1, j, 1);
    put(d, t[1] - 1, j, -1);
    put(d, j, t[0] - 1, 1);
    put(d, j, t[1] - 1, -1);
}

static double conductance(const rheo_circuit *c, const double *g, int e) {
    return c->elem_edge[e] >= 0 ? (g ? g : c->g_init)[c->elem_edge[e]] : 1 / c->value[e];
}

static char letter(const rheo_circuit *c, int e) { return RH_KINDS[c->kind[e]]->letter; }

static void put_element(dense *d, const rheo_circuit *c, const double *g, const double *source, int e, int *j) {
    const int *const t = c->term[e];
    const double value = (source ? source : c->value)[e];
    switch (letter(c, e)) {
    case 'R': put_current(d, t, t[0], t[1], conductance(c, g, e)); break;
    case 'G': put_current(d, t, t[2], t[3], c->value[e]); break;
    case 'I':
        if (t[0] == t[1]) break;
        put_b(d, t[0] - 1, -value);
        put_b(d, t[1] - 1, value);
        break;
    case 'V':
        put_branch(d, t, *j);
        put_b(d, (*j)++, value);
        break;
    case 'E':
        put_branch(d, t, *j);
        put(d, *j, t[2] - 1, -c->value[e]);
        put(d, (*j)++, t[3] - 1, c->value[e]);
        break;
    default: break;
    }
}

static dense write_down(const rheo_circuit *c, const double *g, const double *source) {
    dense d = { .n = c->n_node - 1 };
    int j = d.n;
    for (int e = 0; e < c->n_elem; e++) d.n += letter(c, e) == 'V' || letter(c, e) == 'E';
    d.a = calloc((size_t)(d.n * d.n + 1), sizeof(wide));
    d.b = calloc((size_t)d.n + 1, sizeof(wide));
    assert_true(d.a && d.b);
    for (int e = 0; e < c->n_elem; e++) put_element(&d, c, g, source, e, &j);
    return d;
}

/* ---- two ways to solve them; the answer takes the place of b ---- */

static bool by_lapack(dense *d) {
    const int one = 1, n = d->n;
    const size_t nn = (size_t)(n * n);
    double *a = calloc(nn + 1, sizeof(double)), *b = calloc((size_t)n + 1, sizeof(double));
    int *pivot = calloc((size_t)n + 1, sizeof(int)), info = 0;
    assert_true(a && b && pivot);
    for (size_t k = 0; k < nn; k++) a[k] = (double)d->a[k];
    for (int k = 0; k < n; k++) b[k] = (double)d->b[k];
    if (n) dgesv_(&n, &one, a, &n, pivot, b, &n, &info);
    for (int k = 0; k < n; k++) d->b[k] = b[k];
    free(a);
    free(b);
    free(pivot);
    return info == 0;
}

static wide size_of(wide x) { return x < 0 ? -x : x; }

/* Rows divided by their largest entry, so that siemens and plain numbers can be compared. */
static void equilibrate(dense *d) {
    for (int i = 0; i < d->n; i++) {
        wide most = 0;
        for (int j = 0; j < d->n; j++)
            if (size_of(d->a[i + j * d->n]) > most) most = size_of(d->a[i + j * d->n]);
        if (most == 0) continue;
        for (int j = 0; j < d->n; j++) d->a[i + j * d->n] /= most;
        d->b[i] /= most;
    }
}

static void swap(wide *x, wide *y) {
    const wide t = *x;
    *x = *y;
    *y = t;
}

/* Bring the largest entry of what is left to row and column s. false: nothing is left. */
static bool pivot_fully(dense *d, int s, int *col) {
    const int n = d->n;
    int row = s, best = s;
    for (int j = s; j < n; j++)
        for (int i = s; i < n; i++)
            if (size_of(d->a[i + j * n]) > size_of(d->a[row + best * n])) row = i, best = j;
    if (d->a[row + best * n] == 0) return false;
    for (int j = 0; j < n; j++) swap(&d->a[s + j * n], &d->a[row + j * n]);
    for (int i = 0; i < n; i++) swap(&d->a[i + s * n], &d->a[i + best * n]);
    swap(&d->b[s], &d->b[row]);
    const int was = col[s];
    col[s] = col[best];
    col[best] = was;
    return true;
}

static void eliminate(dense *d, int s) {
    const int n = d->n;
    for (int i = s + 1; i < n; i++) {
        const wide f = d->a[i + s * n] / d->a[s + s * n];
        if (f == 0) continue;
        for (int j = s; j < n; j++) d->a[i + j * n] -= f * d->a[s + j * n];
        d->b[i] -= f * d->b[s];
    }
}

static bool by_full_pivoting(dense *d) {
    const int n = d->n;
    int *col = calloc((size_t)n + 1, sizeof(int));
    wide *x = calloc((size_t)n + 1, sizeof(wide));
    assert_true(col && x);
    for (int j = 0; j < n; j++) col[j] = j;
    equilibrate(d);
    bool sound = true;
    for (int s = 0; s < n && sound; s++) {
        sound = pivot_fully(d, s, col);
        if (sound) eliminate(d, s);
    }
    for (int i = n - 1; i >= 0 && sound; i--) {
        wide r = d->b[i];
        for (int j = i + 1; j < n; j++) r -= d->a[i + j * n] * x[col[j]];
        x[col[i]] = r / d->a[i + i * n];
    }
    memcpy(d->b, x, (size_t)n * sizeof(wide));
    free(col);
    free(x);
    return sound;
}

static void read_answer(const dense *d, const rheo_circuit *c, const double *g, const double *source, double *v,
                        double *i) {
    v[0] = 0;
    for (int k = 1; k < c->n_node; k++) v[k] = (double)d->b[k - 1];
    for (int e = 0, j = c->n_node - 1; e < c->n_elem && i; e++) {
        const int *const t = c->term[e];
        switch (letter(c, e)) {
        case 'R': i[e] = conductance(c, g, e) * (v[t[0]] - v[t[1]]); break;
        case 'G': i[e] = c->value[e] * (v[t[2]] - v[t[3]]); break;
        case 'I': i[e] = (source ? source : c->value)[e]; break;
        case 'V':
        case 'E': i[e] = (double)d->b[j++]; break;
        default: i[e] = 0; break;
        }
    }
}

static bool solve_by(bool (*way)(dense *), const rheo_circuit *c, const double *g, const double *source, double *v,
                     double *i) {
    dense d = write_down(c, g, source);
    const bool sound = way(&d);
    if (sound) read_answer(&d, c, g, source, v, i);
    free(d.a);
    free(d.b);
    return sound;
}

bool oracle_solve(const rheo_circuit *c, const double *g, const double *source, double *v, double *i) {
    return solve_by(by_lapack, c, g, source, v, i);
}

bool oracle_solve_wide(const rheo_circuit *c, const double *g, const double *source, double *v) {
    return solve_by(by_full_pivoting, c, g, source, v, NULL);
}

/* ---- Kirchhoff and power ---- */

double oracle_kcl(const rheo_circuit *c, const double *i) {
    double *sum = calloc((size_t)c->n_node, sizeof(double)), worst = 0, size = 0;
    assert_non_null(sum);
    for (int e = 0; e < c->n_elem; e++) {
        sum[c->term[e][0]] -= i[e];
        sum[c->term[e][1]] += i[e];
        size = fabs(i[e]) <= size ? size : fabs(i[e]); /* NaN stays */
    }
    for (int k = 0; k < c->n_node; k++) worst = fabs(sum[k]) <= worst ? worst : fabs(sum[k]);
    free(sum);
    return size == 0 ? worst : worst / size;
}

double oracle_power(const rheo_circuit *c, const double *v, const double *i) {
    double sum = 0, size = 0;
    for (int e = 0; e < c->n_elem; e++) {
        const double p = (v[c->term[e][0]] - v[c->term[e][1]]) * i[e];
        sum += p;
        size += fabs(p);
    }
    return size == 0 ? fabs(sum) : fabs(sum) / size;
}
