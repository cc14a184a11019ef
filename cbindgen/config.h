/** A configuration with every default. */
#define EVAGG_CONFIG_INIT                                                                                    \
    {(uint16_t) sizeof(evagg_config_t), EVAGG_ABI_VERSION, 0, 0, 0, 0, 0, 0, 0, 0, 0, {0, 0, 0, 0, 0, 0, 0}, \
     NULL, NULL, NULL}

/**
 * Aligns static storage: EVAGG_ALIGNED static uint8_t memory[EVAGG_CONNECTIONS_STORAGE_SIZE(64)];
 *
 * Define it before this header for a compiler that has none of these, such as __align(8) in C99.
 */
#if defined(EVAGG_ALIGNED)
#elif defined(__cplusplus)
#define EVAGG_ALIGNED alignas(EVAGG_STORAGE_ALIGNMENT)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define EVAGG_ALIGNED _Alignas(EVAGG_STORAGE_ALIGNMENT)
#elif defined(__GNUC__)
#define EVAGG_ALIGNED __attribute__((aligned(EVAGG_STORAGE_ALIGNMENT)))
#endif

/** Bytes of an instance before its entries: its own, and 64 for the estimate of each 64 entries. */
#define EVAGG_PRIVATE_FIXED_SIZE(capacity) \
    ((size_t) 192 + 9 * sizeof(void *) + ((size_t) (capacity) + 63) / 64 * 64)
/** Bytes of the index for each entry: 2 where a pointer has 4, 4 where it has 8. */
#define EVAGG_PRIVATE_INDEX_SIZE (sizeof(void *) / 2)
