"""Module: the hash slots of keys."""
import binascii

SLOTS = 16384


def key_slot(key):
    """Of a key without a hash tag, as text or bytes: CRC16/XMODEM modulo the number of slots."""
    return binascii.crc_hqx(key if isinstance(key, bytes) else key.encode(), 0) % SLOTS
