/** Mode of folders in a data directory, and of itself: tables, answers and secrets of pages are its user's alone. */
export const privateFolder = 0o700;
/** Mode of files in a data directory. */
export const privateFile = 0o600;
