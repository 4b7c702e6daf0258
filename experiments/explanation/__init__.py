"""Why a run decided what it decided: nine votes, their reasons, the arithmetic of the consensus."""
