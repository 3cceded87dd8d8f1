#include "dist/comm_mpi.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dist/wire.h"

/* Small frames go to receives that are always posted; larger ones are matched first, so that
 * their size is known before memory is taken. */
enum { TAG_SMALL = 1, TAG_LARGE = 2 };
enum { BATCH = 32 };                  /* large frames matched in one look */
#define IN_FLIGHT ((size_t)512 << 20) /* large frames being received at one time */

/* ---- start and end ----------------------------------------------------------------------- */

ge_status ge_comm_mpi_status(int code, const char *call)
{
    if (code == MPI_SUCCESS) return GE_OK;
    char text[MPI_MAX_ERROR_STRING] = "";
    int len = 0;
    MPI_Error_string(code, text, &len);
    return ge_fail(GE_ECOMM, "%s failed: %s", call, text);
}

static long env_number(const char *name)
{
    const char *s = getenv(name);
    return s == NULL ? -1 : strtol(s, NULL, 10);
}

/* Ranks as the launcher says: 1 for a run of one, 0 if it does not say how many. */
static ge_status launched_ranks(long *n)
{
    static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (env_number(sizes[i]) < 1) continue;
        *n = env_number(sizes[i]);
        return GE_OK;
    }
    long tasks = env_number("SLURM_STEP_NUM_TASKS");
    if (getenv("PMIX_RANK") != NULL) {
        *n = tasks >= 1 ? tasks : 0;
        return GE_OK;
    }
    if (tasks > 1 && env_number("SLURM_PROCID") >= 0)
        return ge_fail(GE_EUNSUPPORTED,
                       "srun started %ld tasks without a way for them to find each other; start "
                       "them with srun --mpi=pmix or with mpirun",
                       tasks);
    *n = 1;
    return GE_OK;
}

static ge_status init_mpi(void)
{
    int level = MPI_THREAD_SINGLE, running = 0;
    ge_status rc = ge_comm_mpi_status(MPI_Initialized(&running), "MPI_Initialized");
    if (rc != GE_OK || running) return rc;
    /* Ranks that wait must leave the cores to those that compute; Open MPI cannot always see that
     * they share them (under Slurm). */
    setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
    rc = ge_comm_mpi_status(MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level),
                            "MPI_Init_thread");
    if (rc == GE_OK && level < MPI_THREAD_FUNNELED)
        rc = ge_fail(GE_ECOMM, "the MPI library does not support threads (MPI_THREAD_FUNNELED); "
                               "use one that does");
    return rc;
}

static ge_status find_place(struct ge_comm *c)
{
    ge_status rc = GE_OK;
    MPI_Comm node = MPI_COMM_NULL;
    GE_TRY(ge_comm_mpi_status(MPI_Comm_dup(MPI_COMM_WORLD, &c->world), "MPI_Comm_dup"));
    GE_TRY(
        ge_comm_mpi_status(MPI_Comm_set_errhandler(c->world, MPI_ERRORS_RETURN), "MPI errhandler"));
    MPI_Comm_rank(c->world, &c->rank);
    MPI_Comm_size(c->world, &c->size);
    /* SLURM_LOCALID is the daemon's under mpirun, so ask MPI. */
    GE_TRY(ge_comm_mpi_status(
        MPI_Comm_split_type(c->world, MPI_COMM_TYPE_SHARED, c->rank, MPI_INFO_NULL, &node),
        "MPI_Comm_split_type"));
    MPI_Comm_rank(node, &c->local_rank);
    MPI_Comm_size(node, &c->local_size);
done:
    if (node != MPI_COMM_NULL) MPI_Comm_free(&node);
    return rc;
}

static void comm_delete(struct ge_comm **comm)
{
    struct ge_comm *c = *comm;
    if (c == NULL) return;
    free(c->pool_data);
    free(c->sending.v);
    free(c->sending.requests);
    free(c->receiving.v);
    free(c->receiving.requests);
    for (size_t i = c->first; i < c->n; i++) free(c->arrived[i].data);
    free(c->arrived);
    free(c->abandoned);
    free(c);
    *comm = NULL;
}

ge_status ge_comm_start(struct ge_comm **comm)
{
    ge_status rc = GE_OK;
    struct ge_comm *c = NULL;
    long want = 0;
    *comm = NULL;
    GE_TRY(launched_ranks(&want));
    if (want == 1) goto done;
    GE_TRY(init_mpi());
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    GE_NEW(c, 1);
    c->world = MPI_COMM_NULL;
    GE_TRY(find_place(c));
    if (want > 1 && c->size != want) {
        rc = ge_fail(GE_ECOMM,
                     "the launcher started %ld ranks but MPI sees %d; launcher and MPI library do "
                     "not fit (see gapeval doctor)",
                     want, c->size);
        goto done;
    }
    GE_NEW(c->abandoned, (size_t)c->size);
    *comm = c;
    c = NULL;
done:
    comm_delete(&c);
    return rc;
}

static void drop_pool(struct ge_comm *c)
{
    for (int i = 0; i < c->pool_size; i++) {
        if (c->pool[i] == MPI_REQUEST_NULL) continue;
        MPI_Cancel(&c->pool[i]);
        MPI_Wait(&c->pool[i], MPI_STATUS_IGNORE);
    }
    c->pool_size = 0;
}

void ge_comm_finish(struct ge_comm **comm, bool clean)
{
    struct ge_comm *c = *comm;
    if (c == NULL) return;
    /* Unclean: everything stays as it is until the process is gone. */
    if (clean) {
        drop_pool(c);
        MPI_Comm_free(&c->world);
        comm_delete(&c);
        MPI_Finalize();
    }
    *comm = NULL;
}

int ge_comm_rank(const struct ge_comm *comm)
{
    return comm == NULL ? 0 : comm->rank;
}

int ge_comm_size(const struct ge_comm *comm)
{
    return comm == NULL ? 1 : comm->size;
}

int ge_comm_local_rank(const struct ge_comm *comm)
{
    return comm == NULL ? 0 : comm->local_rank;
}

int ge_comm_local_size(const struct ge_comm *comm)
{
    return comm == NULL ? 1 : comm->local_size;
}

const char *ge_comm_library(void)
{
    static char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int len = 0;
    if (MPI_Get_library_version(text, &len) != MPI_SUCCESS) return "unknown";
    text[strcspn(text, "\n")] = '\0';
    return text;
}

/* ---- transfers --------------------------------------------------------------------------- */

static ge_status transfers_room(struct ge_transfers *t)
{
    ge_status rc = GE_OK;
    if (t->n < t->cap) return rc;
    size_t cap = t->cap == 0 ? 16 : 2 * t->cap;
    void *p = NULL;
    GE_TRY_PTR(p, ge_realloc(t->v, cap, sizeof *t->v));
    t->v = p;
    GE_TRY_PTR(p, ge_realloc(t->requests, cap, sizeof *t->requests));
    t->requests = p;
    t->cap = cap;
done:
    return rc;
}

static void transfers_remove(struct ge_transfers *t, size_t i)
{
    t->n--;
    t->v[i] = t->v[t->n];
    t->requests[i] = t->requests[t->n];
}

ge_status ge_comm_send(struct ge_comm *comm, int rank, void *frame, size_t size)
{
    ge_status rc = GE_OK;
    struct ge_transfers *t = &comm->sending;
    MPI_Request request = MPI_REQUEST_NULL;
    int done = 0, count = 0, tag = size <= GE_COMM_SMALL ? TAG_SMALL : TAG_LARGE;
    GE_TRY(ge_to_int(size, &count));
    GE_TRY(transfers_room(t));
    GE_TRY(ge_comm_mpi_status(MPI_Isend(frame, count, MPI_BYTE, rank, tag, comm->world, &request),
                              "MPI_Isend"));
    /* From here on the frame is MPI's until the request says otherwise. */
    rc = ge_comm_mpi_status(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    if (rc == GE_OK && !done && !comm->abandoned[rank]) {
        t->v[t->n] = (struct ge_transfer){frame, size, rank};
        t->requests[t->n++] = request;
    }
    if (rc != GE_OK) comm->failures++;
    if (rc == GE_OK && done) free(frame);
    return rc;
done:
    comm->failures++;
    free(frame);
    return rc;
}

static void test_sends(struct ge_comm *c)
{
    struct ge_transfers *t = &c->sending;
    for (size_t i = t->n; i-- > 0;) {
        int done = 0;
        if (MPI_Test(&t->requests[i], &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) {
            c->failures++;
            transfers_remove(t, i);
        } else if (done) {
            free(t->v[i].data);
            transfers_remove(t, i);
        }
    }
}

/* Queue a frame for ge_comm_receive(); takes data. Without memory it is lost and counted. */
static void arrive(struct ge_comm *c, void *data, size_t size, int rank)
{
    ge_status rc = GE_OK;
    if (c->first == c->n) c->first = c->n = 0;
    GE_GROW(c->arrived, c->n, c->cap);
    c->arrived[c->n++] = (struct ge_arrival){data, size, rank};
    return;
done:
    (void)rc;
    c->failures++;
    free(data);
}

static void post(struct ge_comm *c, int i)
{
    if (MPI_Irecv(c->pool_data[i], GE_COMM_SMALL, MPI_BYTE, MPI_ANY_SOURCE, TAG_SMALL, c->world,
                  &c->pool[i]) != MPI_SUCCESS) {
        c->pool[i] = MPI_REQUEST_NULL;
        c->failures++;
    }
}

static ge_status listen_small(struct ge_comm *c)
{
    ge_status rc = GE_OK;
    if (c->pool_size > 0) return rc;
    int n = c->rank == 0 ? GE_COMM_POOL : GE_COMM_POOL_WORKER;
    GE_NEW(c->pool_data, (size_t)n);
    for (int i = 0; i < n; i++) post(c, i);
    c->pool_size = n;
done:
    return rc;
}

static void receive_small(struct ge_comm *c)
{
    int n = 0, which[GE_COMM_POOL];
    MPI_Status at[GE_COMM_POOL];
    int code = MPI_Testsome(c->pool_size, c->pool, &n, which, at);
    if (code != MPI_SUCCESS) c->failures++;
    if (code != MPI_SUCCESS && code != MPI_ERR_IN_STATUS) return;
    for (int i = 0; n != MPI_UNDEFINED && i < n; i++) {
        int size = 0;
        bool sound = code == MPI_SUCCESS || at[i].MPI_ERROR == MPI_SUCCESS;
        if (sound) MPI_Get_count(&at[i], MPI_BYTE, &size);
        void *data = size > 0 ? ge_calloc((size_t)size, 1) : NULL;
        if (data != NULL) {
            memcpy(data, c->pool_data[which[i]], (size_t)size);
            arrive(c, data, (size_t)size, at[i].MPI_SOURCE);
        } else {
            c->failures++;
        }
        post(c, which[i]);
    }
}

/* Begin to receive a large frame that was matched. One that cannot be kept is still received, cut
 * to nothing, because a matched message must be. */
static void receive_matched(struct ge_comm *c, MPI_Message *message, const MPI_Status *at)
{
    int size = 0;
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Get_count(at, MPI_BYTE, &size);
    bool sound =
        size > 0 && (size_t)size <= GE_WIRE_MAX_FRAME && transfers_room(&c->receiving) == GE_OK;
    void *data = sound ? ge_calloc((size_t)size, 1) : NULL;
    if (data == NULL) {
        static unsigned char nothing[1];
        c->failures++;
        if (MPI_Imrecv(nothing, 0, MPI_BYTE, message, &request) == MPI_SUCCESS)
            MPI_Request_free(&request);
        return;
    }
    if (MPI_Imrecv(data, size, MPI_BYTE, message, &request) != MPI_SUCCESS) {
        c->failures++;
        free(data);
        return;
    }
    struct ge_transfers *t = &c->receiving;
    t->v[t->n] = (struct ge_transfer){data, (size_t)size, at->MPI_SOURCE};
    t->requests[t->n++] = request;
    c->receiving_bytes += (size_t)size;
}

static void receive_large(struct ge_comm *c)
{
    for (int i = 0; i < BATCH && c->receiving_bytes < IN_FLIGHT; i++) {
        int found = 0;
        MPI_Message message = MPI_MESSAGE_NULL;
        MPI_Status at;
        if (MPI_Improbe(MPI_ANY_SOURCE, TAG_LARGE, c->world, &found, &message, &at) != MPI_SUCCESS)
            c->failures++;
        if (!found) break;
        receive_matched(c, &message, &at);
    }
    struct ge_transfers *t = &c->receiving;
    for (size_t i = t->n; i-- > 0;) {
        int done = 0;
        bool failed = MPI_Test(&t->requests[i], &done, MPI_STATUS_IGNORE) != MPI_SUCCESS;
        if (!failed && !done) continue;
        struct ge_transfer got = t->v[i];
        c->receiving_bytes -= got.size;
        transfers_remove(t, i);
        if (failed)
            c->failures++;
        else
            arrive(c, got.data, got.size, got.rank);
    }
}

bool ge_comm_receive(struct ge_comm *comm, int *rank, void **frame, size_t *size)
{
    if (comm == NULL) return false;
    if (comm->first == comm->n) {
        if (listen_small(comm) != GE_OK) return false;
        if (comm->sending.n > 0) test_sends(comm);
        receive_small(comm);
        receive_large(comm);
    }
    while (comm->first < comm->n) {
        struct ge_arrival a = comm->arrived[comm->first++];
        *rank = a.rank;
        *frame = a.data;
        *size = a.size;
        return true;
    }
    return false;
}

/* ---- peers that are lost ----------------------------------------------------------------- */

/* Stop watching a peer's transfers. MPI may still touch their memory. */
static void forget(struct ge_transfers *t, int rank, size_t *bytes)
{
    for (size_t i = t->n; i-- > 0;) {
        if (t->v[i].rank != rank) continue;
        if (bytes != NULL) *bytes -= t->v[i].size;
        transfers_remove(t, i);
    }
}

void ge_comm_abandon(struct ge_comm *comm, int rank)
{
    if (comm == NULL || comm->abandoned[rank]) return;
    comm->abandoned[rank] = true;
    forget(&comm->sending, rank, NULL);
    forget(&comm->receiving, rank, &comm->receiving_bytes);
}

size_t ge_comm_unsent(struct ge_comm *comm)
{
    if (comm == NULL) return 0;
    test_sends(comm);
    return comm->sending.n;
}

uint64_t ge_comm_failures(const struct ge_comm *comm)
{
    return comm == NULL ? 0 : comm->failures;
}
