/* docs/findings.md against the catalogue: the document is what `rcf-check --explain` prints. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tools/findings/explain.h"
#include "tools/plan/plan.h"

enum { WIDTH = 96, LINES_MIN = 12, LINES_MAX = 30 };

static const char *const parts[] = {"**Meaning.**", "**How it arises.**", "**How it is judged.**",
                                    "**What would refute it.**", "**What to do.**"};

/* The whole text, in one place for all tests of this process. */
static const char *document(void)
{
    static char text[1 << 20];
    FILE *file = fopen("docs/findings.md", "rb");
    cr_assert(file, "the tests run from the top of the tree");
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    cr_assert_gt(len, 0);
    cr_assert_lt(len, sizeof(text) - 1);
    text[len] = 0;
    return text;
}

/* A section as a string, until the next call. */
static const char *section(enum finding_id id)
{
    static char copy[16384];
    struct bytes text = explain_finding(id);
    cr_assert_gt(text.len, 0, "%s has no section", finding_word(id));
    cr_assert_lt(text.len, sizeof(copy), "%s is too long to be read", finding_word(id));
    memcpy(copy, text.at, text.len);
    copy[text.len] = 0;
    return copy;
}

Test(findings_document, has_the_sections_of_the_catalogue_in_its_order)
{
    int id = 0;
    const char *text = document();
    cr_assert_eq(strncmp(text, "# Findings\n", 11), 0);
    for (const char *at = strstr(text, "\n#"); at; at = strstr(at + 1, "\n#")) {
        char heading[64];
        cr_assert_eq(sscanf(at + 1, "## %63[^\n]", heading), 1, "a heading that is no section: %.40s", at + 1);
        cr_assert_lt(id, FINDING_IDS, "%s is behind the last id of the catalogue", heading);
        cr_assert_str_eq(heading, finding_word((enum finding_id)id), "section %d", id);
        id++;
    }
    cr_assert_eq(id, FINDING_IDS, "%s has no section", finding_word((enum finding_id)id));
}

Test(findings_document, gives_every_section_its_parts_in_order)
{
    for (int id = 0; id < FINDING_IDS; id++) {
        const char *word = finding_word((enum finding_id)id);
        const char *text = section((enum finding_id)id);
        const char *at = text;
        for (size_t p = 0; p < sizeof(parts) / sizeof(parts[0]); p++) {
            const char *part = strstr(at, parts[p]);
            cr_assert(part, "%s has no %s, or not in its place", word, parts[p]);
            cr_assert_null(strstr(part + 1, parts[p]), "%s has %s twice", word, parts[p]);
            cr_assert_eq(part[-1], '\n', "%s: %s begins a paragraph", word, parts[p]);
            at = part + strlen(parts[p]);
            cr_assert(at[0] == ' ' && at[1] != '\n', "%s: %s is empty", word, parts[p]);
        }
    }
}

Test(findings_document, states_the_severity_of_the_catalogue_first)
{
    for (int id = 0; id < FINDING_IDS; id++) {
        const char *word = finding_word((enum finding_id)id);
        char expected[128];
        snprintf(expected, sizeof(expected), "%s\n\nSeverity: %s", word,
                 severity_word(finding_severity((enum finding_id)id)));
        const char *text = section((enum finding_id)id);
        cr_assert_eq(strncmp(text, expected, strlen(expected)), 0, "%s begins otherwise: %.60s", word, text);
    }
}

Test(findings_document, names_a_command_and_the_usual_wrong_repair)
{
    for (int id = 0; id < FINDING_IDS; id++) {
        const char *word = finding_word((enum finding_id)id);
        const char *text = section((enum finding_id)id);
        const char *advice = strstr(text, "**What to do.**");
        cr_assert(advice && strstr(advice, "`rcf-"), "%s names no command to go on with", word);
        cr_assert(strstr(advice, "Wrong:"), "%s does not warn of the usual wrong repair", word);
    }
}

Test(findings_document, refers_to_findings_and_plans_that_exist)
{
    const char *text = document();
    for (const char *at = strstr(text, "rcf-plan "); at; at = strstr(at + 1, "rcf-plan ")) {
        bool known = false;
        for (int goal = 0; goal < GOALS; goal++) {
            const char *word = plan_goal_word((enum plan_goal)goal);
            size_t len = strlen(word);
            known |= strncmp(at + 9, word, len) == 0 && (at[9 + len] == ' ' || at[9 + len] == '`');
        }
        cr_assert(known, "no such goal: %.30s", at);
    }
    for (const char *at = strstr(text, "see "); at; at = strstr(at + 1, "see ")) {
        char word[64];
        if (sscanf(at + 4, "%63[a-z-]", word) == 1 && strchr(word, '-'))
            cr_assert_neq(finding_by_word(word), FINDING_IDS, "no such finding: %s", word);
    }
}

Test(findings_document, is_plain_text_for_a_terminal)
{
    size_t line = 1, width = 0;
    const char *text = document();
    for (const char *at = text; *at; at++) {
        cr_assert(*at == '\n' || (*at >= ' ' && *at <= '~'), "line %zu has a byte 0x%02x", line, (unsigned char)*at);
        cr_assert(*at != '\n' || at == text || at[-1] != ' ', "line %zu ends with a blank", line);
        width = *at == '\n' ? 0 : width + 1;
        cr_assert_leq(width, WIDTH, "line %zu is wider than %d columns", line, WIDTH);
        line += *at == '\n';
    }
}

Test(findings_document, fits_a_screen_with_each_section)
{
    for (int id = 0; id < FINDING_IDS; id++) {
        struct bytes text = explain_finding((enum finding_id)id);
        size_t lines = 0;
        for (size_t i = 0; i < text.len; i++)
            lines += text.at[i] == '\n';
        cr_assert_geq(lines, LINES_MIN, "%s has %zu lines", finding_word((enum finding_id)id), lines);
        cr_assert_leq(lines, LINES_MAX, "%s has %zu lines", finding_word((enum finding_id)id), lines);
    }
}

Test(findings_document, explains_with_the_document_itself)
{
    const char *text = document();
    for (int id = 0; id < FINDING_IDS; id++) {
        const char *own = section((enum finding_id)id);
        cr_assert(strstr(text, own), "%s was built from another document", finding_word((enum finding_id)id));
    }
}
