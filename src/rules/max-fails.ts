/** Fails that a record keeps: both convicting auditors' are among them, for at the loosest calibration two dozen reach the threshold. */
export const MAX_FAILS = 64
