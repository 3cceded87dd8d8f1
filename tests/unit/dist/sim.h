/* A coordinator and its workers in one process, joined by a network that loses, delays, repeats,
 * reorders and damages messages; workers die, hang, pause and lie. Everything follows from a
 * seed, and time is simulated, so a schedule takes milliseconds and can be repeated. */
#ifndef GE_TESTS_DIST_SIM_H
#define GE_TESTS_DIST_SIM_H

#include "dist/coordinator.h"
#include "dist/worker.h"

enum { SIM_WORKERS = 8, SIM_CHUNKS = 64 };

/* What a chunk's first attempts do. */
enum sim_fault { SIM_FINE, SIM_FAILS, SIM_PARTIAL };

struct sim_plan {
    uint64_t seed;
    int n_workers;
    uint32_t n_chunks;
    double drop, repeat, damage;  /* probability for each message */
    double delay;                 /* at most, seconds */
    double die_at[SIM_WORKERS];   /* 0: never. The process is gone */
    double hang_at[SIM_WORKERS];  /* computes no further, still sends heartbeats */
    double hang_for[SIM_WORKERS]; /* 0: for ever */
    double pause_at[SIM_WORKERS], pause_for[SIM_WORKERS]; /* the whole process stands still */
    double lost_at[SIM_WORKERS];                          /* its device fails for good: it leaves */
    double lie[SIM_WORKERS];    /* probability that an answer is not what was asked for */
    double coordinator_dies_at; /* 0: never */
    double stop_at;             /* stop request; 0: none */
    int signalled;              /* worker that gets the request; -1: the coordinator */
    enum sim_fault fault[SIM_CHUNKS];
    int faulty_attempts[SIM_CHUNKS];
    bool fatal[SIM_CHUNKS];  /* whoever computes it dies */
    bool poison[SIM_CHUNKS]; /* whoever computes it loses its device */
    bool done[SIM_CHUNKS];   /* finished before */
    double cost;             /* seconds per chunk, times 0.5…1.5 */
    unsigned strikes, window, window_limit;
};

struct sim_result {
    int accepted[SIM_CHUNKS]; /* how often */
    int given_up[SIM_CHUNKS];
    uint32_t undone[SIM_CHUNKS]; /* undone samples of the accepted result */
    int computed[SIM_CHUNKS];    /* begun by workers */
    double ended_at;             /* coordinator's end; < 0: never */
    double worker_ended_at[SIM_WORKERS];
    ge_status status, worker_status[SIM_WORKERS];
    bool clean, worker_clean[SIM_WORKERS];
    char message[256];
    struct ge_coordinator_stats stats;
    const char *broken; /* a rule that was broken, or NULL */
};

/* The timers that simulations run with. */
struct ge_dist_timers sim_timers(void);

/* Run a plan to the end, or for 2,000 simulated seconds. */
void sim_run(const struct sim_plan *plan, struct sim_result *r);

/* Uniform in [0, 1); advances the state. */
double sim_uniform(uint64_t *state);

#endif
