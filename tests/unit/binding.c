/* Forms of values that may stand in a script: what fits, and above all what does not. */
#include <criterion/criterion.h>

#include "tools/plan/binding.h"

#define ID "0123456789abcdef0123456789abcdef01234567"

static const struct {
    enum binding_form form;
    const char *value;
    bool fits;
} rows[] = {
    {FORM_ID, ID, true},
    {FORM_ID, ID "8", false},
    {FORM_ID, "0123456789ABCDEF0123456789abcdef01234567", false},
    {FORM_ADDRESS, "10.0.0.1", true},
    {FORM_ADDRESS, "::1", true},
    {FORM_ADDRESS, "node-1.example.org", true},
    {FORM_ADDRESS, "-h", false},
    {FORM_ADDRESS, "a..b", false},
    {FORM_ADDRESS, "$(id)", false},
    {FORM_ADDRESS, "10.0.0.1 ", false},
    {FORM_ADDRESS, "10.0.0.1\n", false},
    {FORM_PORT, "65535", true},
    {FORM_PORT, "65536", false},
    {FORM_PORT, "0", false},
    {FORM_PORT, "+1", false},
    {FORM_ENDPOINT, "::1:7000", true},
    {FORM_ENDPOINT, "host:7000", true},
    {FORM_ENDPOINT, "host", false},
    {FORM_ENDPOINT, ":7000", false},
    {FORM_MEMBERS, "10.0.0.1,7000 10.0.0.2,7000", true},
    {FORM_MEMBERS, "10.0.0.1,7000  10.0.0.2,7000", false},
    {FORM_MEMBERS, "10.0.0.1:7000", false},
    {FORM_SLOTS, "0-5460 10923 16383", true},
    {FORM_SLOTS, "5-4", false},
    {FORM_SLOTS, "16384", false},
    {FORM_COUNT, "18446744073709551615", true},
    {FORM_COUNT, "18446744073709551616", false},
    {FORM_COUNT, "-1", false},
    {FORM_KEYSPACE, "db0:keys=12", true},
    {FORM_KEYSPACE, "db0:keys=12\ndb3:keys=1", true},
    {FORM_KEYSPACE, "db0:keys=", false},
    {FORM_KEYSPACE, "db0:keyz=1", false},
    {FORM_KEYSPACE, "db:keys=1", false},
    {FORM_FILE, "dump_7000.rdb", true},
    {FORM_FILE, "../dump.rdb", false},
    {FORM_FILE, ".dump.rdb", false},
    {FORM_FILE, "-rf", false},
    {FORM_FILE, "a b", false},
    {FORM_FILES, "a b", true},
    {FORM_FILES, "a -b", false},
    {FORM_FOLDER, "/var/lib/redis", true},
    {FORM_FOLDER, "var/lib/redis", false},
    {FORM_FOLDER, "/var/lib/my redis", false},
    {FORM_SHA256, ID ID, false},
    {FORM_SHA256, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", true},
    {FORM_WORD, "half-listed", true},
    {FORM_WORD, "Half", false},
    {FORM_PICTURE, ID " 0-5460\n" ID, true},
    {FORM_PICTURE, ID " x", false},
    {FORM_RESCUE, "12,10.0.0.1,7000," ID ",00ff27", true},
    {FORM_RESCUE, "12,10.0.0.1,7000," ID ",00f", false},
    {FORM_RESCUE, "12,10.0.0.1,7000," ID ",", false},
    {FORM_RESCUE, "16384,10.0.0.1,7000," ID ",00", false},
    {FORM_RESCUE, "12,10.0.0.1,7000," ID ",00 12,$(id),7000," ID ",00", false},
    {FORM_SAID, "redis-cli -h {ip} CLUSTER NODES", true},
    {FORM_SAID, "it's", false},
    {FORM_SAID, "a\nb", false},
    {FORM_SAID, "\033[31m", false},
    {FORM_SAID, "$x", false},
    {FORM_SAID, "a\\b", false},
};

Test(binding, forms)
{
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        const struct binding binding = {"name", rows[r].form, rows[r].value, false};
        cr_expect_eq(binding_fits(&binding), rows[r].fits, "%s: %s", binding_form_text(rows[r].form), rows[r].value);
    }
}

Test(binding, only_an_optional_one_may_be_empty)
{
    for (int form = 0; form < BINDING_FORMS; form++)
        for (int given = 0; given < 2; given++) {
            struct binding binding = {"name", (enum binding_form)form, given ? "" : NULL, false};
            cr_expect_not(binding_fits(&binding));
            binding.optional = true;
            cr_expect(binding_fits(&binding));
        }
}
