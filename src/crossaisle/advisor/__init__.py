"""Which fusion, sources and transfer to try, from past reports; and whether to transfer at all."""
