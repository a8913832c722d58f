/* The commands run as users run them: each script of tests/cli and tests/live is one test, and none can be left out. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static void run(const char *script)
{
    char command[512];
    const char *python = getenv("PYTHON");
    snprintf(command, sizeof(command), "exec %s %s </dev/null", python ? python : "/usr/bin/python3", script);
    int status = system(command);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s failed", script);
}

#define SCRIPT(folder, name, seconds)                         \
    Test(folder, name, .timeout = seconds)                    \
    {                                                         \
        run("tests/" #folder "/" #name ".py");                \
    }
#include "tests/unit/scripts.def"
#undef SCRIPT

static const char *const listed[] = {
#define SCRIPT(folder, name, seconds) #folder "/" #name ".py",
#include "tests/unit/scripts.def"
#undef SCRIPT
};

/* A file that other scripts import says so in its first line. */
static int is_module(const char *path)
{
    char line[256] = "";
    FILE *file = fopen(path, "r");
    if (file && !fgets(line, sizeof(line), file))
        line[0] = '\0';
    if (file)
        fclose(file);
    return strncmp(line, "\"\"\"Module", 9) == 0;
}

Test(scripts, every_script_is_listed)
{
    static const char *const folders[] = {"cli", "live"};
    for (size_t f = 0; f < 2; f++) {
        char path[512];
        snprintf(path, sizeof(path), "tests/%s", folders[f]);
        DIR *directory = opendir(path);
        cr_assert_not_null(directory, "%s", path);
        for (struct dirent *entry; (entry = readdir(directory));) {
            const char *dot = strrchr(entry->d_name, '.');
            int found = 0;
            if (!dot || strcmp(dot, ".py") != 0)
                continue;
            snprintf(path, sizeof(path), "tests/%s/%s", folders[f], entry->d_name);
            for (size_t i = 0; i < sizeof(listed) / sizeof(listed[0]); i++)
                found |= strcmp(listed[i], path + strlen("tests/")) == 0;
            cr_expect(found || is_module(path), "%s is not in tests/unit/scripts.def", path);
        }
        closedir(directory);
    }
}
