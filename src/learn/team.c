/* team.c: threads that wait for work, so that a step starts none. */
#include "learn/internal.h"

#include <pthread.h>

typedef struct rh_member {
    rh_team *team;
    pthread_t thread;
    int index;
} rh_member;

struct rh_team {
    int n, started;
    pthread_mutex_t lock;
    pthread_cond_t go, done;
    unsigned long round; /* rises with every piece of work */
    int busy;
    bool quit;
    void (*work)(void *ctx, int member);
    void *ctx;
    rh_member *member;
};

static void *member_main(void *arg) {
    const rh_member *const me = arg;
    rh_team *const t = me->team;
    unsigned long seen = 0;
    pthread_mutex_lock(&t->lock);
    for (;;) {
        while (!t->quit && t->round == seen) pthread_cond_wait(&t->go, &t->lock);
        if (t->quit) break;
        seen = t->round;
        pthread_mutex_unlock(&t->lock);
        t->work(t->ctx, me->index);
        pthread_mutex_lock(&t->lock);
        if (--t->busy == 0) pthread_cond_signal(&t->done);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

rheo_status rh_team_create(rh_team **out, int n, rheo_error *err) {
    rh_team *t = rh_calloc(1, sizeof(*t));
    rh_member *const member = rh_calloc((size_t)n, sizeof(*member));
    if (!t || !member) {
        rh_free(t);
        rh_free(member);
        return RH_NOMEM(err);
    }
    t->n = n;
    t->member = member;
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->go, NULL);
    pthread_cond_init(&t->done, NULL);
    for (int i = 1; i < n; i++) {
        member[i] = (rh_member){ .team = t, .index = i };
        if (pthread_create(&member[i].thread, NULL, member_main, &member[i])) {
            rh_team_destroy(t);
            return rh_fail(err, RHEO_E_LIMIT, 507, RH_NOWHERE, "cannot start thread %d of %d", i + 1, n);
        }
        t->started = i;
    }
    *out = t;
    return RHEO_OK;
}

void rh_team_run(rh_team *t, void (*work)(void *ctx, int member), void *ctx) {
    if (t) {
        pthread_mutex_lock(&t->lock);
        t->work = work;
        t->ctx = ctx;
        t->busy = t->n - 1;
        t->round++;
        pthread_cond_broadcast(&t->go);
        pthread_mutex_unlock(&t->lock);
    }
    work(ctx, 0);
    if (!t) return;
    pthread_mutex_lock(&t->lock);
    while (t->busy > 0) pthread_cond_wait(&t->done, &t->lock);
    pthread_mutex_unlock(&t->lock);
}

void rh_team_destroy(rh_team *t) {
    if (!t) return;
    pthread_mutex_lock(&t->lock);
    t->quit = true;
    pthread_cond_broadcast(&t->go);
    pthread_mutex_unlock(&t->lock);
    for (int i = 1; i <= t->started; i++) pthread_join(t->member[i].thread, NULL);
    pthread_cond_destroy(&t->go);
    pthread_cond_destroy(&t->done);
    pthread_mutex_destroy(&t->lock);
    rh_free(t->member);
    rh_free(t);
}
