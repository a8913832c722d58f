#include "tools/plan/binding.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/text.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define LETTERS LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

enum { MOST_SLOT = 16383, MOST_NAME = 200, MOST_HOST = 253, MOST_LABEL = 63 };

static bool only(struct bytes word, const char *allowed)
{
    for (size_t i = 0; i < word.len; i++)
        if (!word.at[i] || !strchr(allowed, word.at[i]))
            return false;
    return word.len > 0;
}

static bool number_upto(struct bytes word, uint64_t least, uint64_t most, uint64_t *number)
{
    return text_u64(word, number) && *number >= least && *number <= most;
}

/* ------------------------------------------------------------------ lists */

/* Each word between `between` has the form; there is at least one. */
static bool each(struct bytes list, uint8_t between, bool (*fits)(struct bytes word))
{
    const uint8_t *at = list.at, *end = list.at + list.len;
    for (;;) {
        const uint8_t *stop = memchr(at, between, (size_t)(end - at));
        if (!fits((struct bytes){at, (size_t)((stop ? stop : end) - at)}))
            return false;
        if (!stop)
            return true;
        at = stop + 1;
    }
}

/* ------------------------------------------------------------------ forms */

static bool is_id(struct bytes word)
{
    return text_is_node_id(word);
}

static bool is_label(struct bytes word)
{
    return word.len <= MOST_LABEL && only(word, LETTERS DIGITS "-") && word.at[0] != '-' &&
           word.at[word.len - 1] != '-';
}

static bool is_address(struct bytes word)
{
    char text[MOST_HOST + 1] = "";
    unsigned char raw[16];
    if (word.len == 0 || word.len > MOST_HOST)
        return false;
    memcpy(text, word.at, word.len);
    return inet_pton(AF_INET, text, raw) == 1 || inet_pton(AF_INET6, text, raw) == 1 || each(word, '.', is_label);
}

static bool is_port(struct bytes word)
{
    uint64_t number;
    return number_upto(word, 1, UINT16_MAX, &number);
}

static bool is_pair(struct bytes word, uint8_t between)
{
    struct bytes address, port;
    return text_split_last(word, between, &address, &port) && is_address(address) && is_port(port);
}

static bool is_endpoint(struct bytes word)
{
    return is_pair(word, ':');
}

static bool is_member(struct bytes word)
{
    return is_pair(word, ',');
}

static bool is_ids(struct bytes word)
{
    return each(word, ' ', is_id);
}

static bool is_members(struct bytes word)
{
    return each(word, ' ', is_member);
}

static bool is_slot_range(struct bytes word)
{
    struct bytes first, last;
    uint64_t from, to;
    if (!text_split_last(word, '-', &first, &last))
        return number_upto(word, 0, MOST_SLOT, &from);
    return number_upto(first, 0, MOST_SLOT, &from) && number_upto(last, 0, MOST_SLOT, &to) && from < to;
}

static bool is_slots(struct bytes word)
{
    return each(word, ' ', is_slot_range);
}

static bool is_count(struct bytes word)
{
    uint64_t number;
    return number_upto(word, 0, UINT64_MAX, &number);
}

/* "db0:keys=12" */
static bool is_db_line(struct bytes word)
{
    struct bytes head, keys, db;
    const uint8_t *colon = memchr(word.at, ':', word.len);
    if (!colon || !text_split_last(word, '=', &head, &keys) || word.len < 3 || memcmp(word.at, "db", 2) != 0)
        return false;
    db = (struct bytes){word.at + 2, (size_t)(colon - word.at - 2)};
    return is_count(db) && is_count(keys) && head.at + head.len - colon == 5 && memcmp(colon, ":keys", 5) == 0;
}

static bool is_keyspace(struct bytes word)
{
    return each(word, '\n', is_db_line);
}

static bool is_file(struct bytes word)
{
    return word.len < MOST_NAME && only(word, LETTERS DIGITS "._-") && word.at[0] != '-' && word.at[0] != '.';
}

static bool is_files(struct bytes word)
{
    return each(word, ' ', is_file);
}

static bool is_folder(struct bytes word)
{
    return word.len < 4096 && word.at[0] == '/' && only(word, LETTERS DIGITS "._/+@=,-");
}

static bool is_sha256(struct bytes word)
{
    return word.len == 64 && only(word, DIGITS "abcdef");
}

static bool is_word(struct bytes word)
{
    return word.len < 64 && only(word, LOWER DIGITS "-");
}

static bool is_picture_line(struct bytes word)
{
    const uint8_t *blank = memchr(word.at, ' ', word.len);
    if (!blank)
        return is_id(word);
    size_t len = (size_t)(blank - word.at);
    return is_id((struct bytes){word.at, len}) && is_slots((struct bytes){blank + 1, word.len - len - 1});
}

static bool is_picture(struct bytes word)
{
    return each(word, '\n', is_picture_line);
}

/* Read from its end, since an address of IPv6 may hold anything but a comma. */
static bool is_rescue_row(struct bytes word)
{
    struct bytes head, key, id, port, address, slot;
    uint64_t number;
    return text_split_last(word, ',', &head, &key) && key.len % 2 == 0 && only(key, DIGITS "abcdef") &&
           text_split_last(head, ',', &head, &id) && is_id(id) && text_split_last(head, ',', &head, &port) &&
           is_port(port) && text_split_last(head, ',', &slot, &address) && is_address(address) &&
           number_upto(slot, 0, MOST_SLOT, &number);
}

static bool is_rescue(struct bytes word)
{
    return each(word, ' ', is_rescue_row);
}

static bool is_said(struct bytes word)
{
    return only(word, LETTERS DIGITS " ._:,;/+@=%()<>{}*[]\"-");
}

/* ------------------------------------------------------------------ the table */

static const struct {
    bool (*fits)(struct bytes word);
    const char *text;
} forms[BINDING_FORMS] = {
    [FORM_ID] = {is_id, "40 hexadecimal digits"},
    [FORM_ADDRESS] = {is_address, "an IP address or a host name"},
    [FORM_PORT] = {is_port, "a port"},
    [FORM_ENDPOINT] = {is_endpoint, "an IP address or a host name with a port"},
    [FORM_IDS] = {is_ids, "a list of node ids"},
    [FORM_MEMBERS] = {is_members, "a list of IP addresses or host names with ports"},
    [FORM_SLOTS] = {is_slots, "a list of slots"},
    [FORM_COUNT] = {is_count, "a count"},
    [FORM_KEYSPACE] = {is_keyspace, "counts of keys"},
    [FORM_FILE] = {is_file, "a plain file name"},
    [FORM_FILES] = {is_files, "a list of plain file names"},
    [FORM_FOLDER] = {is_folder, "an absolute path of plain names"},
    [FORM_SHA256] = {is_sha256, "64 hexadecimal digits"},
    [FORM_WORD] = {is_word, "a word"},
    [FORM_PICTURE] = {is_picture, "node ids and slots"},
    [FORM_RESCUE] = {is_rescue, "a list of keys with the owners of their slots"},
    [FORM_SAID] = {is_said, "plain text"},
};

bool binding_fits(const struct binding *binding)
{
    if (!binding->value || !*binding->value)
        return binding->optional;
    return forms[binding->form].fits((struct bytes){(const uint8_t *)binding->value, strlen(binding->value)});
}

const char *binding_form_text(enum binding_form form)
{
    return forms[form].text;
}
