#include <criterion/criterion.h>
#include <string.h>

#include "tools/evidence/names.h"

Test(names, set_aside_by_a_script)
{
    static const struct {
        const char *path;
        bool aside;
    } rows[] = {
        {"nodes_7002.conf.rcf-keep-7745fb7b0575d0ee", true},
        {"hosts/a/nodes_7002.conf.rcf-removed-7745fb7b0575d0ee.gz", true},
        {"hosts/a/appendonlydir.rcf-keep-7745fb7b0575d0ee/appendonly.aof.manifest", true},
        {"nodes_7002.conf", false},
        {"nodes_7002.conf.rcf-keep-7745fb7b0575d0e", false},
        {"nodes_7002.conf.rcf-keep-7745fb7b0575d0eg", false},
        {"nodes_7002.conf.rcf-kept-7745fb7b0575d0ee", false},
        {"rcf-keep-7745fb7b0575d0ee", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct path_parts parts = names_split(rows[i].path);
        cr_expect_eq(names_is_set_aside(&parts), rows[i].aside, "%s", rows[i].path);
    }
}
