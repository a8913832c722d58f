#include "parsers/conf/conf.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/trials.h"

#define TEXT(literal) ((struct bytes){(const uint8_t *)(literal), sizeof(literal) - 1})

/* All steps as text: "line:offset+length name|argument|..." and "!code offset+length". Only those that end before
 * `upto`, so that what a cut last line says can be left out. Freed by the caller. */
static char *transcript(struct bytes text, size_t upto)
{
    char *out = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&out, &size);
    struct conf *reader = conf_open(text);
    struct conf_directive directive;
    enum parse_step step;
    cr_assert(reader);
    while ((step = conf_next(reader, &directive)) != PARSE_END) {
        cr_assert(step == PARSE_ITEM || step == PARSE_DAMAGE);
        struct place place = step == PARSE_ITEM ? directive.place : conf_damage(reader)->place;
        cr_assert(place.offset + place.length <= text.len && place.line > 0);
        if (place.offset + place.length >= upto)
            continue;
        if (step == PARSE_DAMAGE) {
            cr_assert(conf_damage(reader)->expected && conf_damage(reader)->found);
            cr_assert(conf_damage(reader)->resumed <= text.len);
            fprintf(stream, "!%u %" PRIu64 "+%" PRIu64 "\n", conf_damage(reader)->code, place.offset, place.length);
            continue;
        }
        fprintf(stream, "%u:%" PRIu64 "+%" PRIu64 " ", place.line, place.offset, place.length);
        fwrite(directive.name.at, 1, directive.name.len, stream);
        for (size_t i = 0; i < directive.word_count; i++) {
            fputc('|', stream);
            fwrite(directive.words[i].at, 1, directive.words[i].len, stream);
        }
        fputc('\n', stream);
    }
    cr_assert_null(conf_why(reader));
    conf_close(reader);
    fclose(stream);
    return out;
}

#define READS_AS(text, expected)                                                                                       \
    do {                                                                                                               \
        char *steps = transcript(TEXT(text), SIZE_MAX);                                                                \
        cr_assert_str_eq(steps, expected);                                                                             \
        free(steps);                                                                                                   \
    } while (0)

Test(conf, directives_and_arguments)
{
    READS_AS("port 7000\nsave 900 1 300 10\n", "1:0+9 port|7000\n2:10+17 save|900|1|300|10\n");
    READS_AS("port 7000", "1:0+9 port|7000\n");
    READS_AS("daemonize", "1:0+9 daemonize\n");
    READS_AS("", "");
}

Test(conf, blanks_and_comments_are_passed_over)
{
    READS_AS("\n \t \r\n# port 1\n \t# port 2\n  port\t 3 \t\r\n", "5:26+12 port|3\n");
    READS_AS("bind 127.0.0.1 # lo\n", "1:0+19 bind|127.0.0.1|#|lo\n");
    READS_AS("\v\f\nport 1\n", "2:3+6 port|1\n");
}

Test(conf, quotes)
{
    READS_AS("save \"\"\n", "1:0+7 save|\n");
    READS_AS("dir \"/a b\"\n", "1:0+10 dir|/a b\n");
    READS_AS("\"port\" '7000'\n", "1:0+13 port|7000\n");
    READS_AS("a x\"b c\"\n", "1:0+8 a|xb c\n");
    READS_AS("a '\\n\\'' \"\\x41\\x4g\\q\\\"\"\n", "1:0+23 a|\\n'|Ax4gq\"\n");
    READS_AS("a \"\\n\\r\\t\\b\\a\\\\\"\n", "1:0+16 a|\n\r\t\b\a\\\n");
    READS_AS("a b\\n\n", "1:0+5 a|b\\n\n");
}

Test(conf, unbalanced_quotes_are_damage)
{
    READS_AS("a \"b\nport 1\n", "!0 0+4\n2:5+6 port|1\n");
    READS_AS("a \"b\"c\n", "!0 0+6\n");
    READS_AS("a 'b'c\n", "!0 0+6\n");
    READS_AS("a 'b\\'\n", "!0 0+6\n");
    READS_AS("a \"b\\\n", "!0 0+5\n");
    READS_AS("# \"b\n", "");
}

Test(conf, blank_after_a_closing_quote_is_any_space)
{
    READS_AS("a \"b\"\vc\n", "1:0+7 a|b|c\n");
    READS_AS("a b\vc\n", "1:0+5 a|b\vc\n");
}

Test(conf, byte_order_mark)
{
    READS_AS("\xEF\xBB\xBFport 1\n", "!1 0+3\n1:3+6 port|1\n");
    READS_AS("port 1\n\xEF\xBB\xBFport 2\n", "1:0+6 port|1\n2:7+9 \xEF\xBB\xBFport|2\n");
    READS_AS("\xEF\xBB", "1:0+2 \xEF\xBB\n");
}

Test(conf, nul_glues_the_next_line_on)
{
    READS_AS("port 70\0" "00\nport 1\ndir .\n", "!2 7+4\n1:0+17 port|70port|1\n3:18+5 dir|.\n");
    READS_AS("port 1\n\0", "1:0+6 port|1\n!2 7+1\n");
    READS_AS("a\0\n\0\nb\n", "!2 1+2\n1:0+6 ab\n");
}

Test(conf, nul_loses_only_its_read_chunk)
{
    uint8_t text[3000];
    memset(text, 'x', sizeof(text));
    text[0] = 'a';
    text[1] = ' ';
    text[10] = 0;
    text[2999] = '\n';
    char *steps = transcript((struct bytes){text, sizeof(text)}, SIZE_MAX);
    cr_assert(strstr(steps, "!2 10+1014\n") == steps);
    cr_assert_eq(strlen(steps), strlen("!2 10+1014\n1:0+2999 a|") + 8 + (2999 - 1024) + 1);
    free(steps);
}

Test(conf, too_many_words)
{
    static uint8_t text[2 * CONF_WORDS + 2];
    memset(text, ' ', sizeof(text));
    for (size_t i = 0; i <= CONF_WORDS; i++)
        text[2 * i] = 'w';
    char *steps = transcript((struct bytes){text, sizeof(text)}, SIZE_MAX);
    cr_assert(strncmp(steps, "!3 ", 3) == 0);
    free(steps);
    steps = transcript((struct bytes){text, 2 * CONF_WORDS}, SIZE_MAX);
    cr_assert(strncmp(steps, "1:0+", 4) == 0);
    free(steps);
}

Test(conf, split_counts_words)
{
    uint8_t scratch[64];
    struct bytes words[3];
    cr_assert_eq(conf_split(TEXT("a b c"), scratch, words, 3), 3);
    cr_assert_eq(conf_split(TEXT("a b c d"), scratch, words, 3), CONF_SPLIT_TOO_MANY);
    cr_assert_eq(conf_split(TEXT("a \"b"), scratch, words, 3), CONF_SPLIT_UNBALANCED);
    cr_assert_eq(conf_split(TEXT(" \t\r\n\v\f"), scratch, words, 3), 0);
    cr_assert_eq(conf_split(TEXT("a\0b"), scratch, words, 3), 1);
    cr_assert_eq(conf_split(TEXT("a \"b\0\""), scratch, words, 3), CONF_SPLIT_UNBALANCED);
    cr_assert_eq(conf_split(TEXT(""), scratch, words, 0), 0);
}

Test(conf, split_in_place)
{
    uint8_t line[] = "k\"e\\x79\" 'v \\'1' \"\"";
    struct bytes words[4];
    cr_assert_eq(conf_split((struct bytes){line, sizeof(line) - 1}, line, words, 4), 3);
    cr_assert(words[0].len == 3 && memcmp(words[0].at, "key", 3) == 0);
    cr_assert(words[1].len == 4 && memcmp(words[1].at, "v '1", 4) == 0);
    cr_assert_eq(words[2].len, 0);
}

static const char sample[] = "# made by hand\nport 7000\r\n\nsave \"\"\ndir \"/var/\\x41 b\"\nbad \"quote\n"
                             "rename-command 'A\\'B' \"\"\n"
                             "logfile \0lost\n x y\nappendonly yes\n";

Test(conf, cuts_are_prefixes)
{
    trial_cuts(TEXT(sample), transcript);
}

Test(conf, flipped_bytes_are_survived)
{
    trial_flips(TEXT(sample), transcript);
}

Test(conf, likeness_of_configurations)
{
    cr_assert_geq(conf_likeness(TEXT("port 7000\ncluster-enabled yes\nappendonly yes\n")), 80);
    cr_assert_geq(conf_likeness(TEXT("cluster-enabled yes\ncluster-config-file nodes.conf\n")), 60);
    cr_assert_geq(conf_likeness(TEXT("port 7000\ndir .\nsave 900 1")), 60);
    cr_assert_geq(conf_likeness(TEXT("# Valkey configuration file example.\n#\n# port 6379\n")), 60);
    cr_assert_geq(conf_likeness(TEXT("# Redis configuration file example\n\n# maxmemory <bytes>\nport 6379\n")), 80);
    cr_assert_geq(conf_likeness(TEXT("PORT 26379\nSentinel monitor m 127.0.0.1 6379 2\ndir /\n")), 70);
    cr_assert_geq(conf_likeness(TEXT("port 1\nsave 900 1\nappendonly yes\nnew-in-2030 yes\n")), 50);
}

Test(conf, likeness_of_others)
{
    cr_assert_lt(conf_likeness(TEXT("")), 20);
    cr_assert_lt(conf_likeness(TEXT("user www-data;\nworker_processes auto;\ninclude /etc/x;\nhttp {\n}\n")), 30);
    cr_assert_lt(conf_likeness(TEXT("Port 22\nPermitRootLogin no\nUsePAM yes\n")), 30);
    cr_assert_lt(conf_likeness(TEXT("file appendonly.aof.1.base.rdb seq 1 type b\n")), 10);
    cr_assert_lt(conf_likeness(TEXT("*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n")), 10);
    cr_assert_lt(conf_likeness(TEXT("vars currentEpoch 6 lastVoteEpoch 0\n")), 10);
    cr_assert_lt(conf_likeness(TEXT("1:M 22 Nov 2026 15:05:25.820 # Configuration loaded\n")), 10);
}

Test(conf, sentinel_files_are_told)
{
    cr_assert(conf_is_sentinel(TEXT("port 26379\nSENTINEL myid 0123\n")));
    cr_assert(conf_is_sentinel(TEXT("sentinel")));
    cr_assert_not(conf_is_sentinel(TEXT("port 6379\n# sentinel myid 0123\nlogfile sentinel\n")));
    cr_assert_not(conf_is_sentinel(TEXT("")));
}
