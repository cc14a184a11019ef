/** Bytes of storage for `capacity` processes, 1 to EVAGG_MAXIMUM_CAPACITY, whose command lines share `text_bytes`: a
 *  constant expression. */
#define EVAGG_PROCESSES_STORAGE_SIZE(capacity, text_bytes) \
    (EVAGG_PRIVATE_FIXED_SIZE(capacity) + (size_t) (capacity) * (44 + EVAGG_PRIVATE_INDEX_SIZE) + (size_t) (text_bytes))
