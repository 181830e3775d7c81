"""Why a recommendation came about, and what of the old knowledge carried it."""
