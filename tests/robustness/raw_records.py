"""Records for Kafka that no Parvis of this version would write: protobuf by hand, and a producer by librdkafka's C API."""

import ctypes

END, TOPIC, VALUE, KEY, MSGFLAGS, HEADER = 0, 1, 4, 5, 7, 9   # rd_kafka_vtype_t
COPY = 2


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def message(fields):
    """A protobuf message of (number, value) pairs: an int is a varint, text and bytes are length-delimited."""
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            data = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(data)) + data
    return out


def send(brokers, topic, records):
    """Sends (key, headers, payload) records and waits for their acknowledgement."""
    rd = ctypes.CDLL("librdkafka.so.1")
    for name in ("rd_kafka_conf_new", "rd_kafka_new"):
        getattr(rd, name).restype = ctypes.c_void_p
    error = ctypes.create_string_buffer(256)
    conf = ctypes.c_void_p(rd.rd_kafka_conf_new())
    # murmur2 as Parvis has it: a key's records are to land where the others of that key are.
    for name, value in (("bootstrap.servers", brokers), ("acks", "all"), ("partitioner", "murmur2_random")):
        assert rd.rd_kafka_conf_set(conf, name.encode(), value.encode(), error, 256) == 0, error.value
    handle = ctypes.c_void_p(rd.rd_kafka_new(0, conf, error, 256))
    assert handle, error.value
    size = ctypes.c_size_t
    for key, headers, payload in records:
        arguments = [TOPIC, ctypes.c_char_p(topic.encode()), KEY, ctypes.c_char_p(key.encode()), size(len(key.encode())),
                     VALUE, ctypes.c_char_p(payload), size(len(payload)), MSGFLAGS, COPY]
        for name, value in headers.items():
            arguments += [HEADER, ctypes.c_char_p(name.encode()), ctypes.c_char_p(value.encode()),
                          ctypes.c_ssize_t(len(value.encode()))]
        sent = rd.rd_kafka_producev(handle, *arguments, END)
        assert sent == 0, f"not sent: {sent}"
    assert rd.rd_kafka_flush(handle, 20_000) == 0, "not acknowledged"
    rd.rd_kafka_destroy(handle)
