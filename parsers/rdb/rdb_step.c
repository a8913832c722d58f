/* The stepper: walks over what a layout describes, without a look at what it means. */
#include "parsers/rdb/rdb_string.h"
#include "parsers/rdb/rdb_value_private.h"

/* How a letter of a layout is stored. */
enum form { FORM_NONE, FORM_STRING, FORM_LENGTH, FORM_BYTES };

static const struct {
    uint8_t form, width;
} letters[128] = {
    ['s'] = {FORM_STRING, 0}, ['m'] = {FORM_STRING, 0}, ['v'] = {FORM_STRING, 0}, ['E'] = {FORM_STRING, 0},
    ['L'] = {FORM_STRING, 0}, ['Z'] = {FORM_STRING, 0}, ['I'] = {FORM_STRING, 0}, ['P'] = {FORM_STRING, 0},
    ['T'] = {FORM_STRING, 0}, ['q'] = {FORM_STRING, 0}, ['k'] = {FORM_STRING, 0},
    ['l'] = {FORM_LENGTH, 0}, ['e'] = {FORM_LENGTH, 0}, ['x'] = {FORM_LENGTH, 0}, ['y'] = {FORM_LENGTH, 0},
    ['j'] = {FORM_LENGTH, 0}, ['i'] = {FORM_LENGTH, 0}, ['u'] = {FORM_LENGTH, 0},
    ['1'] = {FORM_BYTES, 1},  ['4'] = {FORM_BYTES, 4},  ['8'] = {FORM_BYTES, 8},  ['R'] = {FORM_BYTES, 16},
    ['d'] = {FORM_BYTES, 8},  ['X'] = {FORM_BYTES, 8},  ['w'] = {FORM_BYTES, 8},
};

/* A score as text has its length in one byte; the three largest lengths are values of their own (nan, inf, -inf). */
static bool skip_text_score(struct rdb *reader)
{
    if (!rdb_window_need(&reader->window, 1))
        return rdb_ran_out(reader);
    uint8_t length = cursor_u8(&reader->window.cursor);
    return length >= RDB_SCORE_NAN || rdb_skip(reader, length);
}

/* The letters that stand for one thing. */
static bool step_plain(struct rdb *reader, char letter)
{
    uint64_t value;
    switch (letters[(uint8_t)letter].form) {
    case FORM_STRING:
        return rdb_string_skip(reader);
    case FORM_LENGTH:
        return rdb_length(reader, &value);
    default:
        return rdb_skip(reader, letters[(uint8_t)letter].width);
    }
}

char rdb_module_payload(struct rdb *reader)
{
    static const char payloads[] = {RDB_PROGRAM_END, 'l', 'u', '4', 'd', 's'};
    uint64_t opcode;
    if (!rdb_number(reader, sizeof(payloads) - 1, "module opcode", &opcode))
        return RDB_PROGRAM_STOP;
    return payloads[opcode];
}

char rdb_array_payload(struct rdb *reader)
{
    static const char payloads[] = {'s', '8', 'd', 's'};
    uint64_t tag;
    if (!rdb_number(reader, sizeof(payloads) - 1, "array element tag", &tag))
        return RDB_PROGRAM_STOP;
    return payloads[tag];
}

bool rdb_container(struct rdb *reader, uint64_t *container)
{
    uint64_t offset = rdb_window_offset(&reader->window);
    if (!rdb_number(reader, 2, "quicklist container", container))
        return false;
    return *container || rdb_fail(reader, RDB_STOP_CORRUPT, offset, "quicklist container 0");
}

/* Values of a module: an opcode before each, 0 after the last. */
bool rdb_module_count(struct rdb *reader)
{
    for (;; reader->value.elements++) {
        char payload = rdb_module_payload(reader);
        if (payload == RDB_PROGRAM_END)
            return true;
        if (payload == RDB_PROGRAM_STOP || !step_plain(reader, payload))
            return false;
    }
}

static bool skip_tagged(struct rdb *reader)
{
    char payload = rdb_array_payload(reader);
    return payload != RDB_PROGRAM_STOP && step_plain(reader, payload);
}

static bool skip_optional(struct rdb *reader)
{
    uint64_t flag, value;
    return rdb_number(reader, 1, "flag", &flag) && (!flag || rdb_length(reader, &value));
}

bool rdb_step_letter(struct rdb *reader, struct rdb_program *program, char letter)
{
    uint64_t value;
    switch (letter) {
    case '.':
        return true;
    case 'M':
        return rdb_module_count(reader);
    case 'z':
        return skip_text_score(reader);
    case 'c':
        return rdb_container(reader, &value);
    case 'o':
        return skip_optional(reader);
    case 't':
        return skip_tagged(reader);
    case 'H':
        return rdb_template_define(reader);
    case 'h':
        return rdb_template_refer(reader, program);
    case 'n':
        return rdb_template_own(reader, program);
    default:
        return step_plain(reader, letter);
    }
}

/* The `)` that belongs to the `(` before `layout`. */
static const char *loop_end(const char *layout)
{
    for (size_t open = 1;; layout++) {
        open += *layout == '(';
        open -= *layout == ')';
        if (!open)
            return layout;
    }
}

char rdb_program_next(struct rdb *reader, struct rdb_program *program)
{
    for (;; program->at++) {
        switch (*program->at) {
        case '#':
            if (!rdb_number(reader, RDB_ABSURD, "a count of", &program->count))
                return RDB_PROGRAM_STOP;
            break;
        case '(':
            if (program->count) {
                program->loops[program->depth].body = program->at;
                program->loops[program->depth++].left = program->count;
            } else {
                program->at = loop_end(program->at + 1);
            }
            break;
        case ')':
            if (--program->loops[program->depth - 1].left)
                program->at = program->loops[program->depth - 1].body;
            else
                program->depth--;
            break;
        case RDB_PROGRAM_END:
            return RDB_PROGRAM_END;
        default:
            return *program->at++;
        }
    }
}

bool rdb_step(struct rdb *reader, const char *layout)
{
    struct rdb_program program = {.at = layout};
    return rdb_step_rest(reader, &program);
}

bool rdb_step_rest(struct rdb *reader, struct rdb_program *program)
{
    for (;;) {
        char letter = rdb_program_next(reader, program);
        if (letter == RDB_PROGRAM_END)
            return true;
        if (letter == RDB_PROGRAM_STOP || !rdb_step_letter(reader, program, letter))
            return false;
    }
}
