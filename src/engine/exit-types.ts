/** The tables of what stops a record (D50); the kernel numbers them by position. */

/** Positions are the kernel's numbers. */
export const EXIT_TYPES = [
  "translation",
  "address-size",
  "access-flag",
  "alignment",
  "domain",
  "permission",
  "external",
  "atomic",
  "reserved",
  "trap",
] as const;
export type ExitType = (typeof EXIT_TYPES)[number];

/** What the record was doing; positions are the kernel's numbers. */
export const EXIT_ACCESSES = ["read", "write", "fetch", "maintenance"] as const;
export type ExitAccess = (typeof EXIT_ACCESSES)[number];
