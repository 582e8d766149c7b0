/** The account everything belongs to. */
export const accountId = "1000000000000000";
