/* The address field of a node line. Each generation appended to it:
 *
 *   3.0             ip:port
 *   4.0             ip:port@cport
 *   7.0             ip:port@cport,hostname
 *   7.2, Valkey     ip:port@cport,hostname,name=value,...    the hostname may be empty: two commas
 *
 * An IPv6 address stands without brackets, so the port is what follows the last colon. Servers copy the address
 * unchecked; it may be empty (not known yet) or a name.
 */
#include <arpa/inet.h>

#include "parsers/nodesconf/nodesconf_private.h"

/* Bytes that no server accepts in the value of an aux field; only a nodename could have them otherwise. A colon was one
 * of them before Valkey 8.0 put IPv6 addresses there. */
static const char forbidden[] = "!#$%&()*+;<>?@[]^{|}~`";

static bool printable(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] <= ' ' || text.at[i] == 0x7f)
            return false;
    return true;
}

static bool port_number(struct bytes text, uint16_t *port)
{
    uint64_t number;
    if (!text_u64(text, &number) || number > UINT16_MAX)
        return false;
    *port = (uint16_t)number;
    return true;
}

/* The value of a port field has 1 to 5 digits; leading zeros count. */
static bool port_value(struct bytes value, uint16_t *port)
{
    return value.len <= 5 && port_number(value, port);
}

static bool ip_value(struct bytes value, int family)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char address[sizeof(struct in6_addr)];
    if (value.len >= sizeof(text) || memchr(value.at, 0, value.len))
        return false;
    memcpy(text, value.at, value.len);
    text[value.len] = '\0';
    return inet_pton(family, text, address) == 1;
}

static bool aux_shard_id(struct bytes value, struct nodesconf_node *node)
{
    node->shard_id = value;
    for (size_t i = 0; i < value.len; i++)
        if (!((value.at[i] >= '0' && value.at[i] <= '9') || (value.at[i] >= 'a' && value.at[i] <= 'z')))
            return false;
    return value.len == 40;
}

static bool aux_nodename(struct bytes value, struct nodesconf_node *node)
{
    node->nodename = value;
    for (size_t i = 0; i < value.len; i++)
        if (value.at[i] && strchr(forbidden, value.at[i]))
            return false;
    return printable(value);
}

static bool aux_tls_port(struct bytes value, struct nodesconf_node *node)
{
    return port_value(value, &node->tls_port);
}

/* Shown by 7.2 release candidates to TLS clients only; the port before the '@' is what the line says. */
static bool aux_tcp_port(struct bytes value, struct nodesconf_node *node)
{
    uint16_t port;
    (void)node;
    return port_value(value, &port);
}

static bool aux_client_ipv4(struct bytes value, struct nodesconf_node *node)
{
    node->has_client_address = true;
    return ip_value(value, AF_INET);
}

static bool aux_client_ipv6(struct bytes value, struct nodesconf_node *node)
{
    node->has_client_address = true;
    return ip_value(value, AF_INET6);
}

static bool aux_client_port(struct bytes value, struct nodesconf_node *node)
{
    uint16_t port;
    node->has_client_port = true;
    return port_value(value, &port);
}

static const struct aux_field {
    const char *name;
    bool (*read)(struct bytes value, struct nodesconf_node *node);
} aux_fields[] = {
    {"shard-id", aux_shard_id},
    {"tls-port", aux_tls_port},
    {"nodename", aux_nodename},
    {"tcp-port", aux_tcp_port},
    {"client-ipv4", aux_client_ipv4},
    {"client-ipv6", aux_client_ipv6},
    {"client-tcp-port", aux_client_port},
    {"client-tls-port", aux_client_port},
};

static void read_aux(struct nodesconf *reader, struct word word)
{
    struct bytes name, value;
    if (!text_split(word.text, '=', &name, &value)) {
        nodesconf_defect(reader, NODESCONF_AUX, word, word.text.len ? "no equals sign" : "nothing between commas");
        return;
    }
    for (size_t i = 0; i < sizeof(aux_fields) / sizeof(aux_fields[0]); i++) {
        if (!text_is(name, aux_fields[i].name))
            continue;
        if (!aux_fields[i].read(value, &reader->item.node))
            nodesconf_defect(reader, NODESCONF_AUX_VALUE, word, "a value that servers refuse");
        return;
    }
    nodesconf_defect(reader, NODESCONF_AUX_UNKNOWN, word, "another name");
}

static void read_endpoint(struct nodesconf *reader, struct word word)
{
    struct nodesconf_node *node = &reader->item.node;
    struct bytes address, bus, ip, port;
    node->has_bus_port = text_split_last(word.text, '@', &address, &bus);
    if (!text_split_last(address, ':', &ip, &port)) {
        nodesconf_defect(reader, NODESCONF_ADDRESS, word, "no colon");
        return;
    }
    reader->endpoint_read = true;
    if (text_starts(ip, "[") && text_ends(ip, "]"))
        ip = (struct bytes){text_from(ip, 1).at, ip.len - 2};
    node->ip = ip;
    if (!printable(ip))
        nodesconf_defect(reader, NODESCONF_ADDRESS, word, "control bytes in the address");
    bool ports = port_number(port, &node->port);
    if (node->has_bus_port && !port_number(bus, &node->bus_port))
        ports = false;
    if (!ports)
        nodesconf_defect(reader, NODESCONF_PORT, word, "something else");
}

static struct word next_part(struct cursor *cursor, struct word word)
{
    struct bytes text = cursor_until(cursor, ',');
    return word_part(word, cursor_offset(cursor) - text.len, text);
}

void nodesconf_address(struct nodesconf *reader, struct word word)
{
    struct nodesconf_node *node = &reader->item.node;
    struct cursor cursor = cursor_over(word.text);
    read_endpoint(reader, next_part(&cursor, word));
    if (!cursor_left(&cursor))
        return;
    cursor_take(&cursor, 1);
    struct word hostname = next_part(&cursor, word);
    node->hostname = hostname.text;
    if (!printable(hostname.text))
        nodesconf_defect(reader, NODESCONF_ADDRESS, hostname, "control bytes in the hostname");
    while (cursor_left(&cursor)) {
        cursor_take(&cursor, 1);
        node->has_aux = true;
        read_aux(reader, next_part(&cursor, word));
    }
}
