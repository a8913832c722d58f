/* Packed blobs in values: their entries become elements, as the datatype arranges them. */
#include <inttypes.h>

#include "parsers/bytes/lzf.h"
#include "parsers/rdb/rdb_string.h"
#include "parsers/rdb/score.h"

enum { TRIPLE = 3 };

/* By letter of the layout; a node of a list is a listpack. */
static enum packed_form form_of(char letter)
{
    return letter == 'Z' ? PACKED_ZIPLIST : letter == 'I' ? PACKED_INTSET : letter == 'P' ? PACKED_ZIPMAP
                                                                                        : PACKED_LISTPACK;
}

/* Entries that make an element. */
static uint8_t group_of(const struct rdb_value *value, char letter)
{
    if (letter == 'T')
        return TRIPLE;
    return letter != 'k' && (value->row->datatype == RDB_ZSET || value->row->datatype == RDB_HASH) ? 2 : 1;
}

static __attribute__((cold)) void report_packed(struct rdb *reader)
{
    struct rdb_value *value = &reader->value;
    const struct damage *damage = packed_damage(&value->packed);
    rdb_blob_report(reader, (enum rdb_defect)damage->code, &value->blob, damage->place, damage->expected, "%s",
                    damage->found);
}

/* PARSE_ITEM, PARSE_END, or PARSE_STOP where nothing more of the blob can be read, which has been told. */
static inline enum parse_step next_entry(struct rdb *reader, struct packed_entry *entry)
{
    for (;;) {
        enum parse_step step = packed_next(&reader->value.packed, entry);
        if (step == PARSE_ITEM || step == PARSE_END)
            return step;
        report_packed(reader);
        if (step == PARSE_STOP)
            return step;
    }
}

static void report_entry(struct rdb *reader, enum rdb_defect defect, struct place place, const char *expected,
                         const char *found)
{
    const struct rdb_value *value = &reader->value;
    rdb_blob_report(reader, defect, &value->blob, place, expected, "element %" PRIu64 ": %s", value->elements + 1,
                    found);
}

/* The first entry: which template the values are of. */
static bool open_template(struct rdb *reader)
{
    struct rdb_value *value = &reader->value;
    struct packed_entry entry;
    value->field = 0;
    if (next_entry(reader, &entry) != PARSE_ITEM)
        return false;
    if (!value->template && entry.word.integer)
        value->template = rdb_template_find(reader, (uint64_t)entry.word.number);
    if (value->template && entry.word.integer && (uint64_t)entry.word.number == value->template->id)
        return true;
    rdb_blob_report(reader, RDB_BAD_TEMPLATE, &value->blob, entry.place, "the id of a template in the dump", "%s",
                    entry.word.integer ? "another number" : "a text");
    return value->template;
}

bool rdb_blob_open(struct rdb *reader, char letter)
{
    struct rdb_value *value = &reader->value;
    struct rdb_run *run = &reader->window.runs[RDB_VALUE];
    struct rdb_string_head head;
    bool sound;
    run->bytes = (struct bytes){0};
    run->borrowed = false;
    if (!rdb_string_head(reader, &head) || !rdb_string_body(reader, &head, run, &sound))
        return false;
    struct place place = rdb_string_place(reader, &head);
    value->pending = false;
    if (!sound || head.integer) {
        rdb_value_report(reader, head.integer ? RDB_BAD_PACKED : RDB_BAD_STRING, place,
                         head.integer ? "a packed collection" : rdb_string_sound, "%s",
                         head.integer ? "an integer" : "one that does not");
        return true;
    }
    value->blob = (struct rdb_blob){
        place.offset, place.length, head.lzf ? 0 : place.offset + place.length - head.stored};
    value->blob_elements = value->elements;
    value->group = group_of(value, letter);
    value->templated = letter == 'k';
    packed_open(&value->packed, form_of(letter), run->bytes);
    value->in_blob = !value->templated || open_template(reader);
    return true;
}

/* The blob is over, `left` entries of an element have been read. */
static void close_blob(struct rdb *reader, enum parse_step step, size_t left)
{
    struct rdb_value *value = &reader->value;
    struct place whole = {0};
    value->in_blob = false;
    if (step == PARSE_STOP)
        return;
    if (left)
        report_entry(reader, RDB_BAD_ELEMENTS, value->entry, "all parts of an element", "the end of the collection");
    else if (value->elements == value->blob_elements && value->program.depth)
        rdb_blob_report(reader, RDB_EMPTY_VALUE, &value->blob, whole, "an item in each node of a list", "none");
    if (value->templated && value->field < value->template->count)
        rdb_blob_report(reader, RDB_BAD_TEMPLATE, &value->blob, whole, "a value for each field of the template",
                        "%" PRIu64 " of %zu", value->field, value->template->count);
}

static bool set_score(struct rdb *reader, const struct packed_entry *entry)
{
    struct rdb_element *element = &reader->value.element;
    element->score = (double)entry->word.number;
    if (entry->word.integer || score_parse(entry->word.text, &element->score))
        return true;
    report_entry(reader, RDB_BAD_SCORE, entry->place, "a score", "another text");
    return false;
}

static bool set_expiry(struct rdb *reader, const struct packed_entry *entry)
{
    struct rdb_element *element = &reader->value.element;
    element->has_expiry = entry->word.integer && entry->word.number;
    element->expire_ms = entry->word.number;
    if (!entry->word.integer)
        report_entry(reader, RDB_BAD_FIELD_EXPIRY, entry->place, "an expiry as integer", "a text");
    return true;
}

static bool set_template_field(struct rdb *reader, const struct packed_entry *entry)
{
    struct rdb_value *value = &reader->value;
    if (value->field == value->template->count) {
        report_entry(reader, RDB_BAD_TEMPLATE, entry->place, "no more values than the template has fields", "another");
        return false;
    }
    value->element.name = (struct rdb_scalar){.text = value->template->names[value->field++]};
    value->element.value = entry->word;
    return true;
}

/* False when there is nothing to give. */
static bool assemble(struct rdb *reader, const struct packed_entry *entries)
{
    struct rdb_value *value = &reader->value;
    struct rdb_element *element = &value->element;
    if (value->templated)
        return set_template_field(reader, entries);
    if (value->row->datatype == RDB_LIST) {
        element->value = entries->word;
        return true;
    }
    element->name = entries->word;
    if (value->row->datatype == RDB_ZSET)
        return set_score(reader, &entries[1]);
    if (value->group > 1)
        element->value = entries[1].word;
    return value->group < TRIPLE || set_expiry(reader, &entries[2]);
}

static void set_entry(struct rdb_value *value, const struct packed_entry *entries, size_t got)
{
    value->entry = entries[0].place;
    value->entry.length = entries[got - 1].place.offset + entries[got - 1].place.length - value->entry.offset;
}

/* Says what is wrong with an element. False when there is nothing to give. */
static bool complete(struct rdb *reader, const struct packed_entry *entries)
{
    struct rdb_value *value = &reader->value;
    set_entry(value, entries, value->group);
    if (!assemble(reader, entries))
        return false;
    value->element.place = rdb_element_place(reader);
    rdb_check_element(reader);
    return true;
}

/* The same, for most elements, where nobody wants to have them. False, and nothing has been done, where it takes more
 * to say. */
static bool complete_quickly(struct rdb *reader, const struct packed_entry *entries)
{
    struct rdb_value *value = &reader->value;
    const struct rdb_scalar *name = &entries[0].word, *score = &entries[1].word;
    double number;
    if (value->row->datatype == RDB_LIST)
        return true;
    if (value->templated || value->group == TRIPLE)
        return false;
    if (value->row->datatype == RDB_ZSET) {
        number = (double)score->number;
        if ((!score->integer && !score_parse(score->text, &number)) ||
            (value->has_before ? !(value->score_before < number) : number != number))
            return false;
        value->score_before = number;
        value->name_before = *name;
        value->has_before = true;
    }
    uint64_t twin;
    if (value->unique && rdb_words_add(value->words, name, &twin)) {
        set_entry(value, entries, value->group);
        rdb_check_twin(reader, rdb_element_place(reader), twin, value->elements);
    }
    return true;
}

enum parse_step rdb_blob_next(struct rdb *reader)
{
    struct rdb_value *value = &reader->value;
    struct packed_entry entries[TRIPLE];
    for (;;) {
        enum parse_step step = PARSE_ITEM;
        size_t got = packed_read(&value->packed, entries, value->group);
        while (got < value->group && (step = next_entry(reader, &entries[got])) == PARSE_ITEM)
            got++;
        if (got < value->group) {
            if (got)
                set_entry(value, entries, got);
            close_blob(reader, step, got);
            return PARSE_DAMAGE;
        }
        bool given = value->wants_values ? complete(reader, entries)
                                         : complete_quickly(reader, entries) || complete(reader, entries);
        value->elements++;
        if (given && value->wants_values)
            return PARSE_ITEM;
    }
}

/* Entries of the blob in the run, by its header or one by one. */
static uint64_t entries_of(struct bytes blob, enum packed_form form)
{
    struct packed packed;
    struct packed_entry entry;
    enum parse_step step;
    uint64_t entries = 0;
    if (packed_stated(form, blob, &entries))
        return entries;
    packed_open(&packed, form, blob);
    while ((step = packed_next(&packed, &entry)) == PARSE_ITEM || step == PARSE_DAMAGE)
        entries += step == PARSE_ITEM;
    return entries;
}

bool rdb_blob_count(struct rdb *reader, char letter)
{
    enum { HEAD = 11 }; /* what packed_stated() wants */
    struct rdb_value *value = &reader->value;
    struct rdb_run *run = &reader->window.runs[RDB_VALUE];
    enum packed_form form = form_of(letter);
    struct rdb_string_head head;
    uint8_t start[HEAD];
    uint64_t entries;
    bool sound = true;
    if (!rdb_string_head(reader, &head))
        return false;
    struct rdb_string_head stored = head;
    stored.lzf = false;
    stored.size = head.stored;
    if (!rdb_string_body(reader, &stored, run, &sound))
        return false;
    size_t known = head.lzf ? lzf_head(run->bytes, start, sizeof(start)) : 0;
    if (!head.lzf)
        entries = entries_of(run->bytes, form);
    else if (!packed_stated(form, (struct bytes){start, known}, &entries)) {
        if (!rdb_string_expand(reader, &head, run, &sound))
            return false;
        entries = entries_of(run->bytes, form);
    }
    entries -= letter == 'k' && entries;
    value->elements += entries / group_of(value, letter);
    return true;
}
