
#ifdef __cplusplus
}
#endif

#endif /* EVAGG_H */
