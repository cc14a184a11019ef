/** Bytes of storage for `capacity` connections, 1 to EVAGG_MAXIMUM_CAPACITY: a constant expression. */
#define EVAGG_CONNECTIONS_STORAGE_SIZE(capacity) \
    (EVAGG_PRIVATE_FIXED_SIZE(capacity) + (size_t) (capacity) * (60 + EVAGG_PRIVATE_INDEX_SIZE))
