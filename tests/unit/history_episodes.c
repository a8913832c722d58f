/* Episodes, each from a few lines of logs in the wordings of several servers. */
#include "tools/history/episode.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Node ids: one letter is one node. */
#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccccccccccc"
#define D "dddddddddddddddddddddddddddddddddddddddd"
#define E "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"

/* A line of a server: pid, role, second and millisecond of one minute, message. */
#define LINE(pid, role, clock, message) pid ":" role " 22 Nov 2026 14:53:" clock " * " message "\n"
#define START(pid, clock) \
    LINE(pid, "C", clock, "oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo") \
    LINE(pid, "C", clock, "Redis version=7.2.4, bits=64, commit=00000000, modified=0, pid=" pid ", just started")
#define LOADED(pid, clock, id) START(pid, clock) LINE(pid, "M", clock, "Node configuration loaded, I'm " id)
#define NEW(pid, clock, id) START(pid, clock) LINE(pid, "M", clock, "No cluster configuration found, I'm " id)
#define READY(pid, clock) LINE(pid, "M", clock, "Ready to accept connections tcp")

/* 14:53:00 UTC of that day. */
#define MINUTE INT64_C(1795359180000)

static char root[] = "/tmp/rcf-history-XXXXXX";
static struct arena *arena;
static struct evidence *evidence;
static struct history *history;

static void begin_case(void)
{
    cr_assert_not_null(mkdtemp(root));
    arena = arena_new();
}

static int remove_one(const char *path, const struct stat *state, int type, struct FTW *walk)
{
    (void)state, (void)type, (void)walk;
    return remove(path);
}

static void end_case(void)
{
    evidence_close(evidence);
    arena_free(arena);
    nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(history_episodes, .init = begin_case, .fini = end_case);

static void put(const char *port, const char *name, const char *text)
{
    char path[256];
    const char *folders[] = {"", "/hosts", "/hosts/127.0.0.1"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s%s", root, folders[i]);
        cr_assert(mkdir(path, 0700) == 0 || errno == EEXIST);
    }
    snprintf(path, sizeof(path), "%s/hosts/127.0.0.1/%s", root, port);
    cr_assert(mkdir(path, 0700) == 0 || errno == EEXIST);
    snprintf(path, sizeof(path), "%s/hosts/127.0.0.1/%s/%s", root, port, name);
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file, "%s", path);
    fputs(text, file);
    fclose(file);
}

static void log_of(const char *port, const char *text)
{
    put(port, "server.log", text);
}

/* A nodes.conf, in the order of A to E on ports 7000 to 7004: what each line says between its address and its link. */
static void view_of(const char *port, const char *const lines[5], unsigned epoch)
{
    static const char *const ids[] = {A, B, C, D, E};
    char text[2048] = "", line[256];
    for (unsigned i = 0; i < 5; i++) {
        char own[8];
        snprintf(own, sizeof(own), "%u", 7000 + i);
        if (!lines[i])
            continue;
        snprintf(line, sizeof(line), "%s 127.0.0.1:%u@%u %s%s\n", ids[i], 7000 + i, 17000 + i, strcmp(own, port) == 0 ? "myself," : "", lines[i]);
        strncat(text, line, sizeof(text) - strlen(text) - 1);
    }
    snprintf(line, sizeof(line), "vars currentEpoch %u lastVoteEpoch 0\n", epoch);
    strncat(text, line, sizeof(text) - strlen(text) - 1);
    put(port, "nodes.conf", text);
}

/* Three primaries, D a replica of A; saved at 14:53:50. */
static void plain_view(const char *port)
{
    static const char *const lines[] = {"master - 0 1795359230000 1 connected 0-5460", "master - 0 1795359231000 2 connected 5461-10922",
                                        "master - 0 1795359229000 3 connected 10923-16383",
                                        "slave " A " 0 1795359232000 1 connected", NULL};
    view_of(port, lines, 3);
}

static void tell(void)
{
    char *paths[] = {root};
    evidence = evidence_open(paths, 1, NULL);
    cr_assert_not_null(evidence);
    struct clusters *clusters = clusters_build(evidence, arena);
    cr_assert_not_null(clusters);
    history = history_build(evidence, clusters, NULL, arena);
    cr_assert_not_null(history);
}

/* The first episode of a kind whose title contains the text. */
static const struct episode *episode(enum episode_kind kind, const char *title)
{
    for (size_t i = 0; i < history->episode_count; i++)
        if (history->episodes[i].kind == kind && strstr(history->episodes[i].title, title))
            return &history->episodes[i];
    return NULL;
}

static const struct episode *must_have(enum episode_kind kind, const char *title)
{
    const struct episode *found = episode(kind, title);
    for (size_t i = 0; !found && i < history->episode_count; i++)
        fprintf(stderr, "%s: %s\n", episode_word(history->episodes[i].kind), history->episodes[i].title);
    cr_assert_not_null(found, "no %s: %s", episode_word(kind), title);
    cr_expect_gt(found->occurrence_count, 0, "%s rests on nothing", found->title);
    for (size_t i = 0; i < found->occurrence_count; i++)
        cr_expect_lt(found->occurrences[i], history->count);
    return found;
}

static bool has_detail(const struct episode *found, const char *text)
{
    for (size_t i = 0; i < found->detail_count; i++)
        if (strstr(found->details[i], text))
            return true;
    return false;
}

static size_t count_of(enum episode_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < history->episode_count; i++)
        count += history->episodes[i].kind == kind;
    return count;
}

/* ------------------------------------------------------------------ failovers */

static const char *const taken_over[] = {"slave " D " 0 1795359230000 4 connected", "master - 0 1795359231000 2 connected 5461-10922",
                                         "master - 0 1795359229000 3 connected 10923-16383", "master - 0 1795359232000 4 connected 0-5460", NULL};

Test(history_episodes, a_failover_has_who_failed_who_noticed_and_who_voted)
{
    log_of("7000", LOADED("10", "01.000", A) READY("10", "01.001") LINE("10", "M", "09.000", "DB saved on disk"));
    log_of("7001", LOADED("11", "01.000", B) READY("11", "01.001")
                       LINE("11", "M", "15.000", "NODE " A " () possibly failing.")
                       LINE("11", "M", "15.100", "Marking node " A " () as failing (quorum reached).")
                       LINE("11", "M", "15.101", "Cluster is currently down: At least one hash slot is not served by any available node. Please check the 'cluster-require-full-coverage' configuration.")
                       LINE("11", "M", "15.101", "Cluster state changed: fail")
                       LINE("11", "M", "16.003", "Failover auth granted to " D " () for epoch 4")
                       LINE("11", "M", "16.020", "Cluster state changed: ok"));
    log_of("7002", LOADED("12", "01.000", C) READY("12", "01.001")
                       LINE("12", "M", "15.102", "FAIL message received from " B " () about " A " ()")
                       LINE("12", "M", "16.003", "Failover auth granted to " D " () for epoch 4"));
    log_of("7003", LOADED("13", "01.000", D) READY("13", "01.001")
                       LINE("13", "S", "02.000", "Connecting to PRIMARY 127.0.0.1:7000")
                       LINE("13", "S", "02.001", "Successful partial resynchronization with primary.")
                       LINE("13", "S", "10.000", "Connection with primary lost.")
                       LINE("13", "S", "15.103", "FAIL message received from " B " () about " A " ()")
                       LINE("13", "S", "15.200", "Start of election delayed for 543 milliseconds (rank #0, primary rank #0, offset 4242).")
                       LINE("13", "S", "16.002", "Starting a failover election for epoch 4, node config epoch is 1")
                       LINE("13", "S", "16.005", "Failover election won: I'm the new primary.")
                       LINE("13", "S", "16.005", "configEpoch set to 4 after successful failover"));
    view_of("7001", taken_over, 4);
    view_of("7002", taken_over, 4);
    view_of("7003", taken_over, 4);
    tell();
    const struct episode *failover = must_have(EPISODE_FAILOVER, "127.0.0.1:7003 took over from 127.0.0.1:7000, epoch 4");
    cr_expect_str_eq(failover->node, A);
    cr_expect_str_eq(failover->peer, D);
    cr_expect_eq(failover->epoch, 4);
    cr_expect_str_eq(failover->slots, "0-5460");
    cr_expect_eq(failover->begin.ms, MINUTE + 10000, "its replica noticed first");
    cr_expect_eq(failover->end.ms, MINUTE + 16005);
    cr_expect(has_detail(failover, "possibly failing by 127.0.0.1:7001"));
    cr_expect(has_detail(failover, "quorum reached, by 127.0.0.1:7001"));
    cr_expect(has_detail(failover, "FAIL told to 127.0.0.1:7002, 127.0.0.1:7003"));
    cr_expect(has_detail(failover, "delayed for 543 ms, rank 0, offset 4242"));
    cr_expect(has_detail(failover, "2 votes: 127.0.0.1:7001, 127.0.0.1:7002"));
    const struct episode *election = must_have(EPISODE_ELECTION, "127.0.0.1:7003 won the election for epoch 4");
    cr_expect_eq(election->begin.ms, MINUTE + 15200);
    const struct episode *outage = must_have(EPISODE_OUTAGE, "slots 0-5460 not served for 6.0 s");
    cr_expect_eq(outage->begin.ms, MINUTE + 10000);
    cr_expect_eq(outage->end.ms, MINUTE + 16005);
    const struct episode *down = must_have(EPISODE_CLUSTER_DOWN, "alone saw the cluster down, for 0.9 s");
    cr_expect(strstr(down->cause, "hash slot is not served"));
    const struct episode *life = must_have(EPISODE_LIFETIME, "127.0.0.1:7000 started; ended without a word");
    cr_expect_eq(life->how, BASIS_INFERRED);
    cr_expect_not_null(life->basis);
}

Test(history_episodes, elections_that_nobody_wins_say_why)
{
    log_of("7003", LOADED("13", "01.000", D) READY("13", "01.001")
                       LINE("13", "S", "02.000", "Connecting to MASTER 127.0.0.1:7000")
                       LINE("13", "S", "05.000", "Start of election delayed for 500 milliseconds (rank #0, offset 1).")
                       LINE("13", "S", "06.000", "Starting a failover election for epoch 8.")
                       LINE("13", "S", "06.001", "Currently unable to failover: Waiting for votes, but majority still not reached.")
                       LINE("13", "S", "15.000", "Currently unable to failover: Failover attempt expired.")
                       LINE("13", "S", "20.000", "Start of election delayed for 700 milliseconds (rank #0, offset 1).")
                       LINE("13", "S", "21.000", "Starting a failover election for epoch 9.")
                       LINE("13", "S", "21.001", "Currently unable to failover: Waiting for votes, but majority still not reached."));
    log_of("7001", LOADED("11", "01.000", B) READY("11", "01.001")
                       LINE("11", "M", "21.002", "Failover auth denied to " D ": its master is up"));
    tell();
    const struct episode *lost = must_have(EPISODE_ELECTION, "127.0.0.1:7003 asked for votes 2 times, epochs 8 to 9, and did not win");
    cr_expect(strstr(lost->cause, "majority still not reached"), "%s", lost->cause);
    cr_expect(has_detail(lost, "Failover attempt expired"));
    cr_expect(has_detail(lost, "127.0.0.1:7001: Failover auth denied"));
    cr_expect_eq(count_of(EPISODE_FAILOVER), 0);
}

Test(history_episodes, a_replica_may_wait_until_another_has_won)
{
    plain_view("7000");
    log_of("7003", LOADED("13", "01.000", D) READY("13", "01.001")
                       LINE("13", "S", "02.000", "Connecting to MASTER 127.0.0.1:7000")
                       LINE("13", "S", "15.200", "Start of election delayed for 500 milliseconds (rank #0, offset 9).")
                       LINE("13", "S", "15.700", "Starting a failover election for epoch 4.")
                       LINE("13", "S", "15.800", "Failover election won: I'm the new primary."));
    log_of("7002", LOADED("12", "01.000", C) READY("12", "01.001")
                       LINE("12", "S", "02.000", "Connecting to MASTER 127.0.0.1:7000")
                       LINE("12", "S", "15.200", "Start of election delayed for 1500 milliseconds (rank #1, offset 8).")
                       LINE("12", "S", "15.300", "Currently unable to failover: Waiting the delay before I can start a new failover."));
    tell();
    const struct episode *second = must_have(EPISODE_ELECTION, "127.0.0.1:7002 waited for its turn, and 127.0.0.1:7003 won");
    cr_expect_str_eq(second->cause, "127.0.0.1:7003 won the election for epoch 4");
    must_have(EPISODE_ELECTION, "127.0.0.1:7003 won the election for epoch 4");
}

Test(history_episodes, manual_failovers_are_asked_for)
{
    plain_view("7000");
    log_of("7000", LOADED("10", "01.000", A) READY("10", "01.001")
                       LINE("10", "M", "05.001", "Manual failover requested by replica " D " ().")
                       LINE("10", "M", "05.010", "Configuration change detected. Reconfiguring myself as a replica of " D " ()"));
    log_of("7003", LOADED("13", "01.000", D) READY("13", "01.001")
                       LINE("13", "S", "02.000", "Connecting to MASTER 127.0.0.1:7000")
                       LINE("13", "S", "05.000", "Manual failover user request accepted (user request from 'id=3 addr=127.0.0.1:1234').")
                       LINE("13", "S", "05.002", "Received replication offset for paused primary manual failover: 77")
                       LINE("13", "S", "05.003", "Starting a failover election for epoch 4.")
                       LINE("13", "S", "05.005", "Failover election won: I'm the new primary.")
                       LINE("13", "S", "05.005", "configEpoch set to 4 after successful failover")
                       LINE("13", "M", "20.000", "Configuration change detected. Reconfiguring myself as a replica of " A " ()")
                       LINE("13", "S", "25.000", "Forced failover user request accepted.")
                       LINE("13", "S", "30.000", "Manual failover timed out.")
                       LINE("13", "S", "40.000", "Taking over the master (user request).")
                       LINE("13", "S", "40.000", "New configEpoch set to 6"));
    tell();
    const struct episode *asked = must_have(EPISODE_MANUAL_FAILOVER, "127.0.0.1:7003 took over from 127.0.0.1:7000 as asked, epoch 4");
    cr_expect_eq(asked->begin.ms, MINUTE + 5000);
    cr_expect_eq(asked->end.ms, MINUTE + 5005);
    cr_expect_str_eq(asked->cause, "CLUSTER FAILOVER on 127.0.0.1:7003");
    cr_expect(has_detail(asked, "asked by id=3 addr=127.0.0.1:1234"));
    cr_expect(has_detail(asked, "the primary paused at offset 77"));
    cr_expect(has_detail(asked, "127.0.0.1:7000 was asked to hand over"));
    cr_expect(has_detail(asked, "127.0.0.1:7000 became its replica"));
    const struct episode *late = must_have(EPISODE_MANUAL_FAILOVER, "a manual failover to 127.0.0.1:7003 did not happen");
    cr_expect(strstr(late->cause, "timed out"));
    const struct episode *taken = must_have(EPISODE_MANUAL_FAILOVER, "as asked, epoch 6");
    cr_expect(strstr(taken->cause, "TAKEOVER"));
    cr_expect_eq(count_of(EPISODE_FAILOVER), 0);
    cr_expect_eq(count_of(EPISODE_OUTAGE), 0);
    cr_expect_eq(count_of(EPISODE_SLOT_MOVE), 0, "the epoch of a takeover is no move");
}

Test(history_episodes, votes_tell_of_an_election_whose_candidate_is_missing)
{
    view_of("7001", taken_over, 4);
    log_of("7001", LOADED("11", "01.000", B) READY("11", "01.001") LINE("11", "M", "16.003", "Failover auth granted to " D " () for epoch 4"));
    tell();
    const struct episode *election = must_have(EPISODE_ELECTION, "127.0.0.1:7003 won the election for epoch 4");
    cr_expect_eq(election->epoch, 4);
    const struct episode *failover = must_have(EPISODE_FAILOVER, "127.0.0.1:7003 took over from an unknown node, epoch 4");
    cr_expect_str_eq(failover->slots, "0-5460");
}

/* ------------------------------------------------------------------ processes */

Test(history_episodes, processes_end_in_their_ways)
{
    log_of("7000", LOADED("10", "01.000", A) READY("10", "01.001") LINE("10", "M", "02.000", "User requested shutdown...")
                       LINE("10", "M", "02.001", "Redis is now ready to exit, bye bye...")
                       LOADED("20", "03.000", A) READY("20", "03.001") LINE("20", "M", "04.000", "Received SIGTERM scheduling shutdown...")
                       LINE("20", "M", "04.001", "Redis is now ready to exit, bye bye...")
                       LOADED("30", "05.000", A) READY("30", "05.001") LINE("30", "M", "06.000", "DB saved on disk")
                       LOADED("40", "07.000", A) LINE("40", "M", "07.001", "Unrecoverable error: corrupted cluster config file \"x\".")
                       LOADED("50", "08.000", A) READY("50", "08.001"));
    tell();
    cr_expect_eq(must_have(EPISODE_LIFETIME, "7000 started; ended by SHUTDOWN")->end.ms, MINUTE + 2001);
    cr_expect_eq(must_have(EPISODE_LIFETIME, "7000 started again; ended by a signal")->end.ms, MINUTE + 4001);
    cr_expect_eq(must_have(EPISODE_LIFETIME, "7000 started again; ended without a word")->end.ms, MINUTE + 6000);
    must_have(EPISODE_LIFETIME, "corrupted cluster config file");
    cr_expect_eq(must_have(EPISODE_LIFETIME, "its log ends while it runs")->end.source, CLOCK_NONE);
    cr_expect_eq(count_of(EPISODE_LIFETIME), 5);
}

Test(history_episodes, servers_before_4_begin_with_their_id_even_in_a_container)
{
    log_of("7000", "1:M 22 Nov 14:53:01.000 * No cluster configuration found, I'm " A "\n"
                   "1:M 22 Nov 14:53:01.001 # Server started, Redis version 3.0.7\n"
                   "1:M 22 Nov 14:53:01.001 * The server is now ready to accept connections on port 7000\n"
                   "1:M 22 Nov 14:53:09.000 * DB saved on disk\n"
                   "1:M 22 Nov 14:53:11.000 * Node configuration loaded, I'm " A "\n"
                   "1:M 22 Nov 14:53:11.001 # Server started, Redis version 3.0.7\n"
                   "1:M 22 Nov 14:53:11.001 * The server is now ready to accept connections on port 7000\n");
    tell();
    cr_expect_eq(count_of(EPISODE_LIFETIME), 2);
    must_have(EPISODE_LIFETIME, "7000 started; ended without a word");
    must_have(EPISODE_LIFETIME, "7000 started again; its log ends");
}

/* Valkey 8.1 warns about the configuration before it says that it starts. */
#define WARNED(pid, clock) LINE(pid, "M", clock, "WARNING: Changing databases number from 16 to 1 since we are in cluster mode")

Test(history_episodes, warnings_before_the_start_belong_to_the_process_that_starts)
{
    log_of("7000", WARNED("10", "01.000") NEW("10", "01.000", A) READY("10", "01.001") LINE("10", "M", "03.000", "DB saved on disk")
                       WARNED("20", "05.000") LOADED("20", "05.010", A) READY("20", "05.020"));
    tell();
    cr_expect_eq(count_of(EPISODE_LIFETIME), 2);
    cr_expect_eq(must_have(EPISODE_LIFETIME, "7000 started; ended without a word")->end.ms, MINUTE + 3000);
    cr_expect_eq(must_have(EPISODE_LIFETIME, "7000 started again; its log ends")->begin.ms, MINUTE + 5000);
}

/* A server that loads its nodes.conf dates all pongs by that moment: nobody was alive by it. Its replica lost it before,
 * however long ago that was. */
Test(history_episodes, pongs_that_were_only_loaded_show_nobody_alive)
{
    static const char *const loaded[] = {"master - 0 1795359230010 1 connected 0-5460", "master - 0 0 2 connected 5461-10922",
                                         "master - 0 1795359230010 3 connected 10923-16383", "slave " A " 0 1795359230010 1 connected", NULL};
    view_of("7001", loaded, 3);
    log_of("7000", LOADED("10", "01.000", A) READY("10", "01.001") LOADED("20", "55.000", A) READY("20", "55.010"));
    log_of("7001", LOADED("11", "50.012", B) READY("11", "50.020"));
    log_of("7003", LOADED("13", "01.000", D) LINE("13", "S", "01.100", "Connecting to MASTER 127.0.0.1:7000")
                       LINE("13", "S", "12.000", "Connection with master lost."));
    tell();
    cr_expect_eq(must_have(EPISODE_LIFETIME, "7000 started; ended without a word")->end.ms, MINUTE + 12000);
}

Test(history_episodes, a_restart_of_a_primary_is_an_outage_of_its_slots)
{
    plain_view("7000");
    plain_view("7001");
    log_of("7000", LOADED("10", "01.000", A) READY("10", "01.001") LINE("10", "M", "52.000", "User requested shutdown...")
                       LINE("10", "M", "52.001", "Redis is now ready to exit, bye bye...") LOADED("20", "52.500", A) READY("20", "53.501"));
    log_of("7001", LOADED("11", "01.000", B) READY("11", "01.001"));
    tell();
    const struct episode *outage = must_have(EPISODE_OUTAGE, "slots 0-5460 not served for 1.5 s");
    cr_expect_str_eq(outage->node, A);
    cr_expect(strstr(outage->cause, "restarted"));
}

/* ------------------------------------------------------------------ creation and membership */

Test(history_episodes, a_creation_has_the_epochs_of_its_nodes)
{
    log_of("7000", NEW("10", "01.000", A) READY("10", "01.001") LINE("10", "M", "02.000", "configEpoch set to 1 via CLUSTER SET-CONFIG-EPOCH"));
    log_of("7001", NEW("11", "01.000", B) READY("11", "01.001") LINE("11", "M", "02.010", "configEpoch set to 2 via CLUSTER SET-CONFIG-EPOCH"));
    log_of("7002", NEW("12", "01.000", C) READY("12", "01.001") LINE("12", "M", "02.020", "configEpoch set to 3 via CLUSTER SET-CONFIG-EPOCH")
                       LINE("12", "M", "04.000", "Cluster state changed: ok"));
    tell();
    const struct episode *creation = must_have(EPISODE_CREATION, "a cluster of 3 nodes was created, config epochs 1 to 3");
    cr_expect_eq(creation->begin.ms, MINUTE + 2000);
    cr_expect_eq(creation->end.ms, MINUTE + 4000);
    cr_expect(has_detail(creation, "epoch 2: 127.0.0.1:7001"));
    cr_expect_eq(count_of(EPISODE_MEMBERSHIP), 0, "who was created with the cluster did not join it");
}

Test(history_episodes, newer_servers_write_down_who_forgets_meets_and_resets)
{
    log_of("7000", LOADED("10", "01.000", A) READY("10", "01.001")
                       LINE("10", "M", "05.000", "Cluster forget " E " (user request from 'id=9 addr=127.0.0.1:9').")
                       LINE("10", "M", "30.000", "Cluster meet 127.0.0.1:7004 (user request from 'id=9 addr=127.0.0.1:9').")
                       LINE("10", "M", "30.500", "Successfully completed handshake with " D " ()"));
    log_of("7001", LOADED("11", "01.000", B) READY("11", "01.001") LINE("11", "M", "05.100", "Cluster forget " E " (user request from 'id=9 addr=127.0.0.1:9')."));
    log_of("7004", LOADED("14", "01.000", E) READY("14", "01.001")
                       LINE("14", "M", "06.000", "Cluster reset (user request from 'id=9 addr=127.0.0.1:9').")
                       LINE("14", "M", "10.000", "Cluster reset (user request from 'id=9 addr=127.0.0.1:9').")
                       LINE("14", "M", "10.000", "configEpoch set to 0 via CLUSTER RESET HARD")
                       LINE("14", "M", "10.000", "Node hard reset, now I'm " D));
    tell();
    const struct episode *left = must_have(EPISODE_MEMBERSHIP, "was removed from the cluster");
    cr_expect_str_eq(left->node, E);
    cr_expect_eq(left->how, BASIS_STATED);
    cr_expect_eq(left->begin.ms, MINUTE + 5000);
    cr_expect_eq(left->end.ms, MINUTE + 5100);
    cr_expect(has_detail(left, "user request from 'id=9"));
    const struct episode *soft = must_have(EPISODE_RESET, "was reset soft");
    cr_expect_eq(soft->begin.ms, MINUTE + 6000);
    cr_expect(has_detail(soft, "asked by id=9"));
    const struct episode *hard = must_have(EPISODE_RESET, "was reset hard: its id is dddddddd now, and was eeeeeeee");
    cr_expect_eq(hard->how, BASIS_STATED);
    cr_expect_str_eq(hard->node, D);
    cr_expect_str_eq(hard->peer, E);
    cr_expect_eq(must_have(EPISODE_MEMBERSHIP, "joined the cluster")->how, BASIS_STATED);
}

/* E was away for 20 s with a node-timeout of 2 s; `meanwhile` is what a member wrote. */
static void away(const char *meanwhile)
{
    char log[4096];
    plain_view("7000");
    put("7000", "redis.conf", "port 7000\ncluster-enabled yes\ncluster-node-timeout 2000\n");
    snprintf(log, sizeof(log), "%s%s%s", LOADED("10", "01.000", A) READY("10", "01.001") LINE("10", "M", "02.000", "DB saved on disk"), meanwhile,
             LINE("10", "M", "50.000", "DB saved on disk"));
    log_of("7000", log);
    log_of("7004", LOADED("14", "01.000", E) READY("14", "01.001") LINE("14", "M", "10.000", "User requested shutdown...")
                       LINE("14", "M", "10.001", "Redis is now ready to exit, bye bye...") LOADED("24", "30.000", E) READY("24", "30.001"));
    tell();
}

Test(history_episodes, who_was_reset_hard_and_sees_the_cluster_again_has_joined)
{
    log_of("7004", NEW("14", "01.000", D) READY("14", "01.001") LINE("14", "M", "10.000", "configEpoch set to 0 via CLUSTER RESET HARD")
                       LINE("14", "M", "10.000", "Node hard reset, now I'm " E) LINE("14", "M", "10.001", "Cluster state changed: fail")
                       LINE("14", "M", "13.000", "Cluster state changed: ok"));
    tell();
    must_have(EPISODE_RESET, "was reset hard: its id is eeeeeeee now");
    cr_expect_eq(must_have(EPISODE_MEMBERSHIP, "joined the cluster")->begin.ms, MINUTE + 13000);
}

Test(history_episodes, who_is_away_and_nobody_marks_it_was_no_member)
{
    away("");
    const struct episode *left = must_have(EPISODE_MEMBERSHIP, "was removed from the cluster");
    cr_expect_eq(left->how, BASIS_INFERRED);
    cr_expect_str_eq(left->node, E);
    cr_expect(strstr(left->basis, "no member marked it"));
    cr_expect_eq(must_have(EPISODE_MEMBERSHIP, "came back with its old nodes.conf")->begin.ms, MINUTE + 30000);
}

Test(history_episodes, who_is_away_and_is_marked_was_a_member)
{
    away(LINE("10", "M", "13.000", "Marking node " E " () as failing (quorum reached).")
             LINE("10", "M", "31.000", "Clear FAIL state for node " E " (): master without slots is reachable again."));
    cr_expect_eq(count_of(EPISODE_MEMBERSHIP), 1, "named by a member, and not in its file any more");
    cr_expect_null(episode(EPISODE_MEMBERSHIP, "came back"));
}

Test(history_episodes, strangers_are_told)
{
    plain_view("7000");
    log_of("7000", LOADED("10", "01.000", A) READY("10", "01.001")
                       LINE("10", "M", "20.000", "Ignoring FAIL message from unknown node " E " about " B)
                       LINE("10", "M", "21.000", "Ignoring FAIL message from unknown node " E " about " C)
                       LINE("10", "M", "55.000", "Replica 127.0.0.1:7009 asks for synchronization")
                       LINE("10", "M", "56.000", "Replica 127.0.0.1:7003 asks for synchronization"));
    tell();
    const struct episode *stranger = must_have(EPISODE_MEMBERSHIP, "believes to be a member, and members do not know it: 2 messages");
    cr_expect_str_eq(stranger->node, E);
    const struct episode *shadow = must_have(EPISODE_SHADOW, "127.0.0.1:7009, which no member lists, asked 127.0.0.1:7000 for data");
    cr_expect_eq(shadow->how, BASIS_INFERRED);
    cr_expect_eq(count_of(EPISODE_SHADOW), 1, "a member that asks is none");
}

/* ------------------------------------------------------------------ slots */

Test(history_episodes, slots_move_by_lines_and_by_epochs)
{
    log_of("7000", LOADED("10", "01.000", A) READY("10", "01.001")
                       LINE("10", "M", "05.000", "Migrating slot 7 to node " B " ()")
                       LINE("10", "M", "05.002", "Assigning slot 7 to node " B " () in shard " A)
                       LINE("10", "M", "06.000", "Migrating slot 8 to node " B " ()")
                       LINE("10", "M", "06.002", "Assigning slot 8 to node " B " () in shard " A));
    log_of("7001", LOADED("11", "01.000", B) READY("11", "01.001")
                       LINE("11", "M", "04.900", "Importing slot 7 from node " A " ()")
                       LINE("11", "M", "05.001", "Assigning slot 7 to node " B " () in shard " A)
                       LINE("11", "M", "05.001", "New configEpoch set to 5")
                       LINE("11", "M", "05.001", "ConfigEpoch updated after importing slot 7")
                       LINE("11", "M", "06.001", "Assigning slot 8 to node " B " () in shard " A));
    log_of("7002", LOADED("12", "01.000", C) READY("12", "01.001")
                       LINE("12", "M", "40.000", "New configEpoch set to 6") LINE("12", "M", "40.000", "configEpoch updated after importing slot 100")
                       LINE("12", "M", "45.000", "New configEpoch set to 7") LINE("12", "M", "46.000", "DB saved on disk")
                       LINE("12", "M", "50.000", "Import task 1234 started for slots: 200-300")
                       LINE("12", "M", "51.000", "Import task 1234 completed for slots: 200-300 (imported 5 keys)")
                       LINE("12", "M", "55.000", "I have keys for unassigned slot 9. Taking responsibility for it."));
    tell();
    const struct episode *moved = must_have(EPISODE_SLOT_MOVE, "2 slots went from 127.0.0.1:7000 to 127.0.0.1:7001, epoch 5");
    cr_expect_str_eq(moved->slots, "7-8");
    cr_expect_eq(moved->how, BASIS_STATED);
    const struct episode *imported = must_have(EPISODE_SLOT_MOVE, "127.0.0.1:7002 imported slot 100, and perhaps more, epoch 6");
    cr_expect_eq(imported->epoch, 6);
    cr_expect_eq(must_have(EPISODE_SLOT_MOVE, "took config epoch 7 without an election or an import")->how, BASIS_GAP);
    const struct episode *task = must_have(EPISODE_SLOT_MOVE, "Import task 1234 completed");
    cr_expect_str_eq(task->slots, "200-300");
    cr_expect_eq(task->begin.ms, MINUTE + 50000);
    cr_expect_str_eq(must_have(EPISODE_SLOT_MOVE, "took 1 slot at its start")->slots, "9");
}

/* ------------------------------------------------------------------ replication and files */

Test(history_episodes, a_resync_is_partial_full_or_fails)
{
    log_of("7000", LOADED("10", "01.000", A) READY("10", "01.001")
                       LINE("10", "M", "05.001", "Replica 127.0.0.1:7003 asks for synchronization")
                       LINE("10", "M", "05.001", "Partial resynchronization not accepted: Replication ID mismatch (Replica asked for 'x', my replication IDs are 'y' and 'z')")
                       LINE("10", "M", "30.000", "Replica 127.0.0.1:7009 asks for synchronization")
                       LINE("10", "M", "30.000", "Partial resynchronization request from 127.0.0.1:7009 accepted. Sending 5 bytes of backlog starting from offset 6."));
    log_of("7003", LOADED("13", "01.000", D) READY("13", "01.001")
                       LINE("13", "S", "05.000", "Connecting to MASTER 127.0.0.1:7000")
                       LINE("13", "S", "05.000", "MASTER <-> REPLICA sync started")
                       LINE("13", "S", "05.001", "Trying a partial resynchronization (request x:1).")
                       LINE("13", "S", "05.002", "Full resync from master: y:0")
                       LINE("13", "S", "05.500", "MASTER <-> REPLICA sync: Finished with success")
                       LINE("13", "S", "10.000", "Connection with master lost.")
                       LINE("13", "S", "10.000", "Reconnecting to MASTER 127.0.0.1:7000")
                       LINE("13", "S", "10.001", "MASTER <-> REPLICA sync started")
                       LINE("13", "S", "10.002", "Trying a partial resynchronization (request y:100).")
                       LINE("13", "S", "10.003", "Successful partial resynchronization with master.")
                       LINE("13", "S", "10.003", "MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.")
                       LINE("13", "S", "20.000", "Connection with master lost.")
                       LINE("13", "S", "20.001", "MASTER <-> REPLICA sync started")
                       LINE("13", "S", "20.002", "Error condition on socket for SYNC: Connection refused"));
    tell();
    const struct episode *full = must_have(EPISODE_RESYNC, "127.0.0.1:7003 got all data from 127.0.0.1:7000");
    cr_expect(strstr(full->cause, "Replication ID mismatch"));
    cr_expect_eq(full->end.ms, MINUTE + 5500);
    const struct episode *part = must_have(EPISODE_RESYNC, "127.0.0.1:7003 got from 127.0.0.1:7000 only what it had missed");
    cr_expect_eq(part->begin.ms, MINUTE + 10000);
    cr_expect(has_detail(part, "after the connection with the primary was lost"));
    const struct episode *failed = must_have(EPISODE_RESYNC, "did not finish synchronising");
    cr_expect(strstr(failed->cause, "Connection refused"));
    cr_expect(has_detail(failed, "1 of 1 tries failed"));
    must_have(EPISODE_RESYNC, "127.0.0.1:7009 got only what it had missed from 127.0.0.1:7000");
}

Test(history_episodes, saves_and_rewrites)
{
    log_of("7000", LOADED("10", "01.000", A) READY("10", "01.001") LINE("10", "M", "02.000", "DB saved on disk")
                       LINE("10", "M", "03.000", "DB saved on disk") LINE("10", "M", "04.000", "Background saving error")
                       LINE("10", "M", "05.000", "DB saved on disk") LINE("10", "M", "06.000", "CONFIG REWRITE executed with success."));
    tell();
    must_have(EPISODE_SAVE, "127.0.0.1:7000 wrote 2 dumps");
    must_have(EPISODE_SAVE, "127.0.0.1:7000 could not write a dump");
    must_have(EPISODE_SAVE, "127.0.0.1:7000 wrote a dump");
    must_have(EPISODE_CONFIG_REWRITE, "127.0.0.1:7000 rewrote redis.conf");
}

Test(history_episodes, words_of_kinds_are_unique)
{
    for (int kind = 0; kind < EPISODE_KINDS; kind++) {
        cr_expect_gt(strlen(episode_meaning((enum episode_kind)kind)), 10);
        for (int other = 0; other < kind; other++)
            cr_expect_str_neq(episode_word((enum episode_kind)kind), episode_word((enum episode_kind)other));
    }
    cr_expect_str_eq(episode_basis_word(BASIS_GAP), "gap");
}
