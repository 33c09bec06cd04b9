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

/* ---- dense solve ---- */

typedef struct dense {
    int n;
    double *a, *b; /* column by column */
} dense;

/* Ground has index -1 and is left out. */
static void put(dense *d, int row, int col, double x) {
    if (row >= 0 && col >= 0) d->a[row + col * d->n] += x;
}

static void put_b(dense *d, int row, double x) {
    if (row >= 0) d->b[row] += x;
}

static void put_current(dense *d, const int *t, int p, int q, double g) { /* g (v_p - v_q) from t0 to t1 */
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
        put_b(d, t[0] - 1, -value);
        put_b(d, t[1] - 1, value);
        break;
    case 'V':
        put_branch(d, t, *j);
        d->b[(*j)++] = value;
        break;
    case 'E':
        put_branch(d, t, *j);
        put(d, *j, t[2] - 1, -c->value[e]);
        put(d, (*j)++, t[3] - 1, c->value[e]);
        break;
    default: break;
    }
}

static void read_answer(const dense *d, const rheo_circuit *c, const double *g, const double *source, double *v,
                        double *i) {
    v[0] = 0;
    for (int k = 1; k < c->n_node; k++) v[k] = d->b[k - 1];
    for (int e = 0, j = c->n_node - 1; e < c->n_elem; e++) {
        const int *const t = c->term[e];
        switch (letter(c, e)) {
        case 'R': i[e] = conductance(c, g, e) * (v[t[0]] - v[t[1]]); break;
        case 'G': i[e] = c->value[e] * (v[t[2]] - v[t[3]]); break;
        case 'I': i[e] = (source ? source : c->value)[e]; break;
        case 'V':
        case 'E': i[e] = d->b[j++]; break;
        default: i[e] = 0; break;
        }
    }
}

bool oracle_solve(const rheo_circuit *c, const double *g, const double *source, double *v, double *i) {
    dense d = { .n = c->n_node - 1 };
    for (int e = 0; e < c->n_elem; e++) d.n += letter(c, e) == 'V' || letter(c, e) == 'E';
    d.a = calloc((size_t)(d.n * d.n + 1), sizeof(double));
    d.b = calloc((size_t)d.n + 1, sizeof(double));
    int *pivot = calloc((size_t)d.n + 1, sizeof(int)), info = 0, j = c->n_node - 1;
    assert_true(d.a && d.b && pivot);
    for (int e = 0; e < c->n_elem; e++) put_element(&d, c, g, source, e, &j);
    const int one = 1;
    if (d.n) dgesv_(&d.n, &one, d.a, &d.n, pivot, d.b, &d.n, &info);
    if (info == 0) read_answer(&d, c, g, source, v, i);
    free(d.a);
    free(d.b);
    free(pivot);
    return info == 0;
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
