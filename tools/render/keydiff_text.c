/* The counts of a comparison for people. */
#include "tools/render/escape.h"
#include "tools/render/keydiff_output_private.h"

static void write_side(struct out *out, const struct keydiff *diff, enum compare_side side)
{
    size_t files = 0, last = 0;
    for (size_t f = 0; f < diff->file_count; f++)
        if (diff->files[f].side == side) {
            files++;
            last = f;
        }
    out_text(out, side == COMPARE_A ? "A  " : "B  ");
    if (files == 1)
        escape_printable(out, escape_string(diff->files[last].path));
    else
        out_count(out, files, "dump", "dumps");
    out_text(out, ": ");
    out_count(out, diff->counts.read[side], "key", "keys");
    if (diff->counts.repeated[side]) {
        out_text(out, ", ");
        out_grouped(out, diff->counts.repeated[side]);
        out_text(out, " of them again");
    }
    out_byte(out, '\n');
}

static void write_count(struct out *out, const struct keydiff *diff, const char *what, enum compare_how how)
{
    out_text(out, what);
    if (keydiff_counts(diff, how) || how == COMPARE_EQUAL)
        out_grouped(out, diff->counts.keys[how]);
    else
        out_text(out, "ignored");
}

void keydiff_write_summary(struct out *out, const struct keydiff *diff)
{
    write_side(out, diff, COMPARE_A);
    write_side(out, diff, COMPARE_B);
    if (diff->partial)
        out_styled(out, OUT_YELLOW, "as far as the dumps can be read: ");
    write_count(out, diff, "equal ", COMPARE_EQUAL);
    write_count(out, diff, "; only in A ", COMPARE_ONLY_A);
    write_count(out, diff, "; only in B ", COMPARE_ONLY_B);
    write_count(out, diff, "; in both, but another type ", COMPARE_TYPE);
    write_count(out, diff, ", value ", COMPARE_VALUE);
    write_count(out, diff, ", expiry ", COMPARE_EXPIRY);
    out_byte(out, '\n');
    if (diff->listed && keydiff_differences(diff))
        out_byte(out, '\n');
}

void keydiff_write_more(struct out *out, uint64_t more)
{
    out_text(out, "and ");
    out_grouped(out, more);
    out_text(out, " more; -v lists them\n");
}
