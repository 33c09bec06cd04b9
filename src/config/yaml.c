/* yaml.c: text into a tree. The only file that knows libyaml; events instead of its document API, whose time and stack
 * grow with the depth of the input. Places are byte columns, where libyaml counts characters. */
#include "base/utf8.h"
#include "config/config.h"

#include <stdlib.h>
#include <yaml.h>

enum { MAX_ANCHOR = 256 };

/* Follows libyaml's character index through the text. It only moves forward, so a whole document costs one pass. */
typedef struct cursor {
    const char *text;
    size_t n, byte, index;
    size_t bol; /* byte at which the line begins */
    int line;
} cursor;

typedef struct entry { /* a value whose container is still open */
    rh_yaml *value;
    const char *key;
    int at[2];
} entry;

typedef struct frame { /* an open list or map */
    rh_yaml *node;
    int first;       /* its first entry */
    const char *key; /* map: read, and its value not yet */
    int at[2];
} frame;

typedef struct anchor {
    const char *name;
    rh_yaml *node;
} anchor;

typedef struct builder {
    rh_pool *pool;
    const rh_source *src;
    rh_report *report;
    cursor at, start;
    frame stack[RH_YAML_DEPTH];
    int depth;
    entry *entry;
    int n_entry, cap_entry;
    anchor anchor[MAX_ANCHOR];
    int n_anchor;
    int n_node, n_copy;
    rh_yaml *root;
    bool done; /* the document has ended */
} builder;

/* ---- places ---- */

static size_t width_of(const char *s) {
    const unsigned char c = (unsigned char)*s;
    return c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

static void advance(cursor *c, size_t index) {
    while (c->index < index && c->byte < c->n) {
        if (c->text[c->byte] == '\n') {
            c->line++;
            c->bol = c->byte + 1;
        }
        c->byte += width_of(c->text + c->byte);
        c->index++;
    }
}

static rh_loc place(const builder *b, const cursor *c, int len) {
    return (rh_loc){ b->src, c->line, (int)(c->byte - c->bol) + 1, len };
}

static rh_loc here(const builder *b) { return place(b, &b->at, 1); }

/* Bytes from the cursor to the character index `end`, not beyond the end of the line. */
static int length_to(const builder *b, size_t end) {
    const cursor *c = &b->at;
    size_t byte = c->byte, index = c->index;
    while (index < end && byte < c->n && c->text[byte] != '\n' && c->text[byte] != '\r') {
        byte += width_of(c->text + byte);
        index++;
    }
    return byte > c->byte ? (int)(byte - c->byte) : 1;
}

static rheo_status no_memory(const builder *b) {
    return rh_report_error(b->report, RHEO_E_NOMEM, 501, RH_NOWHERE, NULL, "out of memory");
}

/* ---- text that libyaml may see ---- */

static bool printable(uint32_t c) {
    return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c < 0x7F) || c == 0x85 || (c >= 0xA0 && c < 0xFEFF) ||
           (c > 0xFEFF && c <= 0xFFFD) || c >= 0x10000;
}

static rheo_status check_text(const builder *b) {
    cursor c = b->at;
    const unsigned char *const t = (const unsigned char *)c.text;
    if (c.n >= 2 && ((t[0] == 0xFF && t[1] == 0xFE) || (t[0] == 0xFE && t[1] == 0xFF)))
        return rh_report_error(b->report, RHEO_E_PARSE, RH_CODE_ENCODING, place(b, &c, 1), "save it as UTF-8",
                               "the file is UTF-16");
    while (c.byte < c.n) {
        uint32_t code = 0;
        const size_t len = rh_utf8(c.text + c.byte, c.n - c.byte, &code);
        if (len == 0)
            return rh_report_error(b->report, RHEO_E_PARSE, RH_CODE_ENCODING, place(b, &c, 1), "save the file as UTF-8",
                                   "byte 0x%02X is not valid UTF-8", (unsigned)(unsigned char)c.text[c.byte]);
        if (!printable(code))
            return rh_report_error(b->report, RHEO_E_PARSE, RH_CODE_ENCODING, place(b, &c, (int)len), NULL,
                                   "control character U+%04X does not belong in YAML", (unsigned)code);
        if (code == '\n') {
            c.line++;
            c.bol = c.byte + 1;
        }
        c.byte += len;
    }
    return RHEO_OK;
}

/* ---- what libyaml found wrong ---- */

typedef struct fault {
    const char *problem, *context; /* as libyaml words them; context NULL: any */
    bool at_start;                 /* the place to show is where the construct began */
    const char *text, *hint;
} fault;

/* clang-format off */
static const fault FAULTS[] = {
    { "found a tab character", NULL, false, "a tab cannot indent YAML", "use blanks" },
    { "found unexpected end of stream", "while scanning a quoted scalar", true, "this quote is never closed", NULL },
    { "found unexpected document indicator", "while scanning a quoted scalar", true, "this quote is never closed", NULL },
    { "found unknown escape character", NULL, false, "unknown escape in a double-quoted text", "write \\\\ for a backslash, or use single quotes" },
    { "mapping values are not allowed", NULL, false, "a key with ':' cannot stand here", "one 'key: value' per line, or quote a text that contains ': '" },
    { "block sequence entries are not allowed", NULL, false, "a list item '-' cannot stand here", "begin it on a new line, or write [a, b]" },
    { "mapping keys are not allowed", NULL, false, "a key cannot stand here", NULL },
    { "could not find expected ':'", NULL, true, "a ':' is missing behind this key", "write 'key: value', with a blank behind the colon" },
    { "did not find expected ',' or ']'", NULL, true, "this '[' is not closed, or a comma is missing in the list", NULL },
    { "did not find expected ',' or '}'", NULL, true, "this '{' is not closed, or a comma is missing in it", NULL },
    { "did not find expected key", NULL, false, "the indentation does not fit", "keys of one block begin in the same column" },
    { "did not find expected '-' indicator", NULL, false, "the indentation does not fit the list", "items of one list begin in the same column" },
    { "found character that cannot start any token", NULL, false, "a value cannot begin with this character", "put it in quotes" },
    { "did not find expected node content", NULL, false, "a value is missing here", NULL },
    { "did not find expected <document start>", NULL, false, "this does not continue what stands before it", "check the indentation and the brackets above" },
    { "found unexpected ':'", NULL, false, "a ':' cannot stand here", "put the text in quotes" },
    { "did not find expected alphabetic or numeric character", NULL, false, "'*' and '&' begin an alias or an anchor in YAML", "put a text that begins with * or & in quotes" },
};
/* clang-format on */

static const fault *find_fault(const char *problem, const char *context) {
    for (int k = 0; k < RH_COUNT(FAULTS); k++) {
        const fault *f = &FAULTS[k];
        if (strncmp(problem, f->problem, strlen(f->problem)) != 0) continue;
        if (!f->context || (context && strcmp(context, f->context) == 0)) return f;
    }
    return NULL;
}

/* "key:value" above the place where libyaml stumbles: there a blank is missing, not here. */
static bool find_glued_colon(const builder *b, cursor *c) {
    if (c->bol < b->start.byte + 2) return false;
    size_t from = c->bol - 1;
    while (from > b->start.byte && c->text[from - 1] != '\n') from--;
    const char *line = c->text + from, *end = c->text + c->bol - 1, *key = line;
    while (key < end && *key == ' ') key++;
    const char *colon = memchr(key, ':', (size_t)(end - key));
    if (!colon || colon == key || strcspn(key, " \"'[{#") < (size_t)(colon - key) || strchr(" \t\r\n", colon[1]))
        return false;
    c->line--;
    c->bol = from;
    c->byte = (size_t)(colon - c->text);
    return true;
}

static rheo_status parser_failed(builder *b, const yaml_parser_t *p) {
    if (p->error == YAML_MEMORY_ERROR || !p->problem) return no_memory(b);
    static const fault TAB = { NULL, NULL, false, "a tab cannot stand here", "indent with blanks" };
    static const fault GLUED = { NULL, NULL, false, "a blank is missing behind this ':'", "write 'key: value'" };
    const fault *f = find_fault(p->problem, p->context);
    const bool at_start = f && f->at_start && p->context;
    const size_t index = at_start ? p->context_mark.index : p->problem_mark.index;
    cursor c = b->at;
    if (index < c.index) c = b->start;
    advance(&c, index);
    const bool end = c.byte >= c.n && c.n > 0 && !at_start;
    rh_loc at = place(b, &c, 1);
    if (end && at.col == 1 && at.line > 1) { /* behind the last line: show its end */
        size_t byte = c.n - 1, bol = byte;
        while (bol > 0 && c.text[bol - 1] != '\n') bol--;
        at.line--;
        at.col = (int)(byte - bol) + 1;
    }
    if (!at_start && c.byte < c.n && c.text[c.byte] == '\t') f = &TAB;
    if (strncmp(p->problem, "mapping values", 14) == 0 && find_glued_colon(b, &c)) {
        f = &GLUED;
        at = place(b, &c, 1);
    }
    if (f) return rh_report_error(b->report, RHEO_E_PARSE, RH_CODE_YAML, at, f->hint, "%s", f->text);
    return rh_report_error(b->report, RHEO_E_PARSE, RH_CODE_YAML, at, NULL, "not valid YAML: %s", p->problem);
}

/* ---- the tree ---- */

static rh_yaml *new_node(builder *b, rh_yaml_type type, int len) {
    rh_yaml *y = rh_pool_alloc(b->pool, sizeof(*y));
    if (!y) return NULL;
    const rh_loc at = here(b);
    y->type = type;
    y->src = b->src;
    y->line = at.line;
    y->col = at.col;
    y->len = len;
    return y;
}

static rheo_status count_node(builder *b) {
    if (++b->n_node <= RH_YAML_NODES) return RHEO_OK;
    return rh_report_error(b->report, RHEO_E_LIMIT, RH_CODE_LIMIT, here(b), "put large tables into a CSV file",
                           "more than %d values", RH_YAML_NODES);
}

/* Adds a finished or just opened value to what is open around it. */
static rheo_status attach(builder *b, rh_yaml *y) {
    if (b->depth == 0) {
        b->root = y;
        return RHEO_OK;
    }
    if (!rh_grow(&b->entry, &b->cap_entry, b->n_entry + 1, sizeof(*b->entry))) return no_memory(b);
    frame *f = &b->stack[b->depth - 1];
    b->entry[b->n_entry++] = (entry){ y, f->key, { f->at[0], f->at[1] } };
    f->key = NULL;
    return RHEO_OK;
}

static rheo_status feature(const builder *b, int len, const char *hint, const char *text) {
    const cursor *c = &b->at;
    return rh_report_error(b->report, RHEO_E_PARSE, RH_CODE_FEATURE, place(b, c, len), hint, "%s", text);
}

static bool wants_key(const builder *b) {
    if (b->depth == 0) return false;
    const frame *f = &b->stack[b->depth - 1];
    return f->node->type == RH_YAML_MAP && !f->key;
}

static rheo_status remember(builder *b, const yaml_char_t *name, rh_yaml *y) {
    if (!name) return RHEO_OK;
    if (b->n_anchor == MAX_ANCHOR)
        return rh_report_error(b->report, RHEO_E_LIMIT, RH_CODE_LIMIT, here(b), NULL, "more than %d anchors",
                               MAX_ANCHOR);
    const char *copy = rh_pool_strndup(b->pool, (const char *)name, strlen((const char *)name));
    if (!copy) return no_memory(b);
    b->anchor[b->n_anchor++] = (anchor){ copy, y };
    return RHEO_OK;
}

static rheo_status open_node(builder *b, rh_yaml_type type, const yaml_char_t *name, const yaml_char_t *tag) {
    if (tag)
        return feature(b, (int)strlen((const char *)tag), "leave it out", "tags such as !!float are not used here");
    if (wants_key(b)) return feature(b, 1, NULL, "a key must be a word, not a list or a block");
    if (b->depth == RH_YAML_DEPTH)
        return rh_report_error(b->report, RHEO_E_LIMIT, RH_CODE_LIMIT, here(b), NULL,
                               "lists and blocks are nested more than %d deep", RH_YAML_DEPTH);
    RHEO_TRY(count_node(b));
    rh_yaml *y = new_node(b, type, 1);
    if (!y) return no_memory(b);
    RHEO_TRY(attach(b, y));
    RHEO_TRY(remember(b, name, y));
    b->stack[b->depth++] = (frame){ .node = y, .first = b->n_entry };
    return RHEO_OK;
}

static int by_key(const void *pa, const void *pb) {
    const entry *const *a = pa, *const *b = pb;
    const int order = strcmp((*a)->key, (*b)->key);
    return order ? order : *a < *b ? -1 : *a > *b;
}

/* Sorted, so that a hostile file with a million keys costs no more than sorting them. */
static rheo_status check_duplicates(builder *b, const frame *f) {
    const int n = b->n_entry - f->first;
    if (n < 2) return RHEO_OK;
    const entry **sorted = rh_calloc((size_t)n, sizeof(entry *));
    if (!sorted) return no_memory(b);
    for (int i = 0; i < n; i++) sorted[i] = &b->entry[f->first + i];
    qsort(sorted, (size_t)n, sizeof(entry *), by_key);
    for (int i = 1; i < n && !rh_report_full(b->report); i++) {
        const entry *first = sorted[i - 1], *again = sorted[i];
        if (strcmp(first->key, again->key) != 0) continue;
        const rh_loc at = { b->src, again->at[0], again->at[1], (int)strlen(again->key) };
        char hint[64];
        snprintf(hint, sizeof(hint), "the first one is in line %d", first->at[0]);
        rh_report_error(b->report, RHEO_E_PARSE, RH_CODE_DUPLICATE, at, hint, "key '%.80s' is given twice", again->key);
    }
    rh_free(sorted);
    return RHEO_OK;
}

/* Moves the entries of the innermost container into arrays of the pool. */
static rheo_status close_node(builder *b) {
    const frame f = b->stack[b->depth - 1];
    rh_yaml *y = f.node;
    const bool map = y->type == RH_YAML_MAP;
    if (map) RHEO_TRY(check_duplicates(b, &f));
    b->depth--;
    y->n = b->n_entry - f.first;
    const size_t n = (size_t)y->n;
    y->item = rh_pool_alloc(b->pool, n * sizeof(*y->item));
    if (map) {
        y->key = rh_pool_alloc(b->pool, n * sizeof(*y->key));
        y->key_at = rh_pool_alloc(b->pool, n * sizeof(*y->key_at));
    }
    if (!y->item || (map && (!y->key || !y->key_at))) return no_memory(b);
    for (int i = 0; i < y->n; i++) {
        const entry *e = &b->entry[f.first + i];
        y->item[i] = e->value;
        if (!map) continue;
        y->key[i] = e->key;
        memcpy(y->key_at[i], e->at, sizeof(e->at));
    }
    b->n_entry = f.first;
    return RHEO_OK;
}

static rheo_status take_key(builder *b, const char *text, size_t n, bool plain, int len) {
    frame *f = &b->stack[b->depth - 1];
    if (plain && strcmp(text, "<<") == 0)
        return feature(b, len, "repeat the keys, or use an alias for a whole block",
                       "merge keys '<<' are not used here");
    f->key = rh_pool_strndup(b->pool, text, n);
    if (!f->key) return no_memory(b);
    const rh_loc at = here(b);
    f->at[0] = at.line;
    f->at[1] = at.col;
    return RHEO_OK;
}

static rheo_status scalar(builder *b, const yaml_event_t *e) {
    const char *text = (const char *)e->data.scalar.value;
    const size_t n = e->data.scalar.length;
    const bool plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    const int len = length_to(b, e->end_mark.index);
    if (e->data.scalar.tag) return feature(b, len, "leave it out", "tags such as !!float are not used here");
    if (strlen(text) != n) return feature(b, len, NULL, "a text cannot contain the character \\0");
    RHEO_TRY(count_node(b));
    if (wants_key(b)) {
        if (e->data.scalar.anchor) return feature(b, len, NULL, "a key cannot have an anchor");
        return take_key(b, text, n, plain, len);
    }
    rh_yaml *y = new_node(b, RH_YAML_SCALAR, len);
    if (!y || !(y->text = rh_pool_strndup(b->pool, text, n))) return no_memory(b);
    y->n_text = n;
    y->quoted = !plain;
    RHEO_TRY(remember(b, e->data.scalar.anchor, y));
    return attach(b, y);
}

/* ---- aliases: every use is a copy of its own, since readers mark what they took ---- */

/* Depth is bounded, so the recursion is. */
static rheo_status copy_tree(builder *b, const rh_yaml *from, int depth, rh_yaml **out) {
    if (depth > RH_YAML_DEPTH || ++b->n_copy > RH_YAML_COPIES)
        return rh_report_error(b->report, RHEO_E_LIMIT, RH_CODE_LIMIT, here(b), NULL,
                               "aliases expand to more than %d values or are nested more than %d deep", RH_YAML_COPIES,
                               RH_YAML_DEPTH);
    RHEO_TRY(count_node(b));
    rh_yaml *y = rh_pool_alloc(b->pool, sizeof(*y));
    if (!y) return no_memory(b);
    *y = *from;
    *out = y;
    if (from->type == RH_YAML_SCALAR || from->n == 0) return RHEO_OK;
    y->item = rh_pool_alloc(b->pool, (size_t)from->n * sizeof(*y->item));
    if (!y->item) return no_memory(b);
    if (from->type == RH_YAML_MAP) { /* an override may move the place of a key of one copy alone */
        y->key_at = rh_pool_alloc(b->pool, (size_t)from->n * sizeof(*y->key_at));
        if (!y->key_at) return no_memory(b);
        memcpy(y->key_at, from->key_at, (size_t)from->n * sizeof(*y->key_at));
    }
    for (int i = 0; i < from->n; i++) RHEO_TRY(copy_tree(b, from->item[i], depth + 1, &y->item[i]));
    return RHEO_OK;
}

static rheo_status alias(builder *b, const yaml_event_t *e) {
    const char *name = (const char *)e->data.alias.anchor;
    const int len = length_to(b, e->end_mark.index);
    if (wants_key(b)) return feature(b, len, NULL, "a key must be a word, not an alias");
    const rh_yaml *found = NULL;
    for (int k = b->n_anchor - 1; k >= 0 && !found; k--)
        if (strcmp(b->anchor[k].name, name) == 0) found = b->anchor[k].node;
    if (!found)
        return rh_report_error(b->report, RHEO_E_PARSE, RH_CODE_FEATURE, place(b, &b->at, len),
                               "put a text that begins with * in quotes", "no anchor '&%.60s' for this alias", name);
    for (int k = 0; k < b->depth; k++)
        if (b->stack[k].node == found) return feature(b, len, NULL, "an alias cannot stand inside what it stands for");
    rh_yaml *y = NULL;
    RHEO_TRY(copy_tree(b, found, b->depth + 1, &y));
    return attach(b, y);
}

/* ---- events ---- */

static rheo_status document_start(builder *b, const yaml_event_t *e) {
    if (b->done) return feature(b, 3, "keep one experiment per file", "a second document begins here");
    if (e->data.document_start.tag_directives.start != e->data.document_start.tag_directives.end)
        return feature(b, 1, "leave it out", "tag directives are not used here");
    return RHEO_OK;
}

static rheo_status take_event(builder *b, const yaml_event_t *e) {
    advance(&b->at, e->start_mark.index);
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT: return document_start(b, e);
    case YAML_DOCUMENT_END_EVENT: b->done = true; return RHEO_OK;
    case YAML_ALIAS_EVENT: return alias(b, e);
    case YAML_SCALAR_EVENT: return scalar(b, e);
    case YAML_SEQUENCE_START_EVENT:
        return open_node(b, RH_YAML_LIST, e->data.sequence_start.anchor, e->data.sequence_start.tag);
    case YAML_MAPPING_START_EVENT:
        return open_node(b, RH_YAML_MAP, e->data.mapping_start.anchor, e->data.mapping_start.tag);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: return close_node(b);
    default: return RHEO_OK;
    }
}

static rheo_status run_parser(builder *b, yaml_parser_t *p) {
    for (;;) {
        yaml_event_t e;
        if (!yaml_parser_parse(p, &e)) return parser_failed(b, p);
        const bool last = e.type == YAML_STREAM_END_EVENT;
        const rheo_status st = take_event(b, &e);
        yaml_event_delete(&e);
        if (st != RHEO_OK || last) return st;
    }
}

/* Parses src from byte `from` on; places count from the beginning of src. */
static rheo_status parse_source(rh_pool *pool, const rh_source *src, size_t from, rh_yaml **root, rh_report *r) {
    builder *b = rh_calloc(1, sizeof(*b));
    if (!b) return rh_report_error(r, RHEO_E_NOMEM, 501, RH_NOWHERE, NULL, "out of memory");
    b->pool = pool;
    b->src = src;
    b->report = r;
    b->start = b->at = (cursor){ .text = src->text, .n = src->size, .byte = from, .line = 1 };
    rheo_status st = check_text(b);
    yaml_parser_t p;
    if (st == RHEO_OK && !yaml_parser_initialize(&p))
        st = no_memory(b);
    else if (st == RHEO_OK) {
        const int before = r->n_error;
        yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&p, (const unsigned char *)src->text + from, src->size - from);
        st = run_parser(b, &p);
        yaml_parser_delete(&p);
        if (st == RHEO_OK && r->n_error > before) st = RHEO_E_PARSE; /* duplicate keys do not stop the reading */
        *root = b->root;
    }
    rh_free(b->entry);
    rh_free(b);
    return st;
}

/* ---- documents ---- */

static bool is_blank_scalar(const rh_yaml *y) {
    return !y || (y->type == RH_YAML_SCALAR && !y->quoted && y->n_text == 0);
}

/* Takes ownership of text. */
static rheo_status parse_owned(rh_document *out, char *text, size_t n, const char *name, rh_report *r) {
    rh_document d = { .src = rh_calloc(1, sizeof(rh_source)), .pool = rh_pool_create() };
    *out = (rh_document){ 0 };
    char *copy = rh_strdup(name);
    if (!d.src || !d.pool || !copy) {
        rh_free(text);
        rh_free(copy);
        rh_document_free(&d);
        return rh_report_error(r, RHEO_E_NOMEM, 501, RH_NOWHERE, NULL, "out of memory");
    }
    *d.src = (rh_source){ .name = copy, .text = text, .size = n, .quotable = true };
    const bool bom = n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0;
    rheo_status st = RHEO_OK;
    if (n > RH_YAML_BYTES)
        st = rh_report_error(r, RHEO_E_LIMIT, 404, RH_NOWHERE, NULL, "'%.200s' is larger than %d bytes", name,
                             RH_YAML_BYTES);
    if (st == RHEO_OK) st = parse_source(d.pool, d.src, bom ? 3 : 0, &d.root, r);
    if (st == RHEO_OK && is_blank_scalar(d.root))
        st = rh_report_error(r, RHEO_E_PARSE, RH_CODE_EMPTY, (rh_loc){ d.src, 1, 1, 1 }, NULL,
                             "there is nothing in this file");
    if (st != RHEO_OK) {
        rh_document_free(&d);
        return r->err && r->err->status != RHEO_OK ? r->err->status : st; /* the first cause, which err tells of */
    }
    *out = d;
    return RHEO_OK;
}

rheo_status rh_document_parse(rh_document *out, const char *text, size_t n, const char *name, rh_report *r) {
    *out = (rh_document){ 0 };
    if (n > RH_YAML_BYTES)
        return rh_report_error(r, RHEO_E_LIMIT, 404, RH_NOWHERE, NULL, "'%.200s' is larger than %d bytes", name,
                               RH_YAML_BYTES);
    char *copy = rh_realloc(NULL, n + 1, 1);
    if (!copy) return rh_report_error(r, RHEO_E_NOMEM, 501, RH_NOWHERE, NULL, "out of memory");
    if (n) memcpy(copy, text, n);
    copy[n] = '\0';
    return parse_owned(out, copy, n, name, r);
}

rheo_status rh_document_read(rh_document *out, const char *path, rh_report *r) {
    *out = (rh_document){ 0 };
    char *text = NULL;
    size_t n = 0;
    rheo_error e = { 0 };
    const rheo_status st = rh_file_read(path, RH_YAML_BYTES, &text, &n, &e);
    if (st != RHEO_OK) return rh_report_error(r, st, e.code, RH_NOWHERE, e.hint[0] ? e.hint : NULL, "%s", e.msg);
    return parse_owned(out, text, n, strcmp(path, "-") == 0 ? "<stdin>" : path, r);
}

void rh_document_free(rh_document *d) {
    if (!d) return;
    if (d->src) {
        rh_free(d->src->name);
        rh_free(d->src->text);
        rh_free(d->src);
    }
    rh_pool_destroy(d->pool);
    *d = (rh_document){ 0 };
}

/* ---- overrides ---- */

static const rh_source *set_source(rh_document *d, const char *text) {
    rh_source *s = rh_pool_alloc(d->pool, sizeof(*s));
    const size_t n = strlen(text);
    if (!s || !(s->text = rh_pool_strndup(d->pool, text, n)) || !(s->name = rh_pool_strndup(d->pool, "--set", 5)))
        return NULL;
    s->size = n;
    s->quotable = true;
    return s;
}

static int find_key(const rh_yaml *map, const char *key, size_t n) {
    for (int i = 0; i < map->n; i++)
        if (strlen(map->key[i]) == n && memcmp(map->key[i], key, n) == 0) return i;
    return -1;
}

/* Gives the map a further key; false: out of memory. */
static bool add_key(rh_pool *pool, rh_yaml *map, const char *key, size_t n, int col) {
    const size_t count = (size_t)map->n + 1, old = (size_t)map->n;
    rh_yaml **item = rh_pool_alloc(pool, count * sizeof(*item));
    const char **keys = rh_pool_alloc(pool, count * sizeof(*keys));
    int(*at)[2] = rh_pool_alloc(pool, count * sizeof(*at));
    if (!item || !keys || !at || !(keys[old] = rh_pool_strndup(pool, key, n))) return false;
    if (old) {
        memcpy(item, map->item, old * sizeof(*item));
        memcpy(keys, map->key, old * sizeof(*keys));
        memcpy(at, map->key_at, old * sizeof(*at));
    }
    at[old][0] = 1;
    at[old][1] = col;
    map->item = item;
    map->key = keys;
    map->key_at = at;
    map->n++;
    return true;
}

/* The index of the key text[from..to) in the map, made if it is not there; -1: out of memory. */
static int child(rh_document *d, const rh_source *src, rh_yaml *map, size_t from, size_t to) {
    const char *key = src->text + from;
    const int i = find_key(map, key, to - from);
    if (i >= 0) return i;
    rh_yaml *y = rh_pool_alloc(d->pool, sizeof(*y));
    if (!y || !add_key(d->pool, map, key, to - from, (int)from + 1)) return -1;
    *y = (rh_yaml){ .type = RH_YAML_MAP, .line = 1, .col = (int)from + 1, .len = (int)(to - from), .src = src };
    map->item[map->n - 1] = y;
    return map->n - 1;
}

static rheo_status bad_set(const rh_source *src, size_t from, size_t len, rh_report *r, const char *text) {
    return rh_report_error(r, RHEO_E_USAGE, RH_CODE_SET, (rh_loc){ src, 1, (int)from + 1, (int)len },
                           "write block.key=value, such as learning.rate=0.05", "%s", text);
}

static rheo_status assign(rh_document *d, const rh_source *src, size_t equals, const rh_yaml *value, rh_report *r) {
    rh_yaml *map = d->root;
    for (size_t from = 0;;) {
        const char *dot = memchr(src->text + from, '.', equals - from);
        const size_t to = dot ? (size_t)(dot - src->text) : equals;
        if (to == from) return bad_set(src, from, 1, r, "a key is missing here");
        if (map->type != RH_YAML_MAP)
            return bad_set(src, from, to - from, r, "the value before this key is not a block of keys");
        const int i = child(d, src, map, from, to);
        if (i < 0) return rh_report_error(r, RHEO_E_NOMEM, 501, RH_NOWHERE, NULL, "out of memory");
        if (!dot) {
            *map->item[i] = *value;
            map->key_at[i][0] = 1;
            map->key_at[i][1] = (int)from + 1;
            return RHEO_OK;
        }
        map = map->item[i];
        from = to + 1;
    }
}

rheo_status rh_document_set(rh_document *d, const char *assignment, rh_report *r) {
    if (strlen(assignment) > RH_YAML_BYTES / 64)
        return rh_report_error(r, RHEO_E_LIMIT, RH_CODE_LIMIT, RH_NOWHERE, NULL, "--set is longer than %d bytes",
                               RH_YAML_BYTES / 64);
    const rh_source *src = set_source(d, assignment);
    if (!src) return rh_report_error(r, RHEO_E_NOMEM, 501, RH_NOWHERE, NULL, "out of memory");
    const char *eq = strchr(src->text, '=');
    if (!eq) return bad_set(src, 0, src->size ? src->size : 1, r, "there is no '=' in this override");
    const size_t equals = (size_t)(eq - src->text);
    rh_yaml *value = NULL;
    RHEO_TRY(parse_source(d->pool, src, equals + 1, &value, r));
    if (is_blank_scalar(value)) return bad_set(src, equals, 1, r, "a value is missing behind '='");
    return assign(d, src, equals, value, r);
}
