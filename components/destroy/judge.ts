import { basename } from "node:path";

/** A process as the system lists it. */
export interface Listed {
  readonly parent: number;
  /** Program and arguments. */
  readonly words: readonly string[];
}

/**
 * Whether one of these processes is a `pulumi destroy` of the whole stack without a preview. Such a run comes to protected resources only
 * after what depends on them is gone; with a preview, Pulumi refuses before that, and where it goes on, nothing is protected.
 */
export function wouldMeetProtected(ancestors: readonly Listed[]): boolean {
  return ancestors.some(({ words: [program = "", ...words] }) => {
    const has = (option: RegExp) => words.some((word) => option.test(word));
    return (
      /^pulumi(\.exe)?$/.test(basename(program.replaceAll("\\", "/"))) &&
      has(/^(destroy|down|dn)$/) &&
      has(/^(-f|--skip-preview(=true)?)$/) &&
      !has(/^(--exclude-protected(=true)?|-t|--target(=.*)?|-x|--exclude(=.*)?)$/)
    );
  });
}

/** What the operator sees. */
export const refusal = (kept: readonly string[]) =>
  `nothing was touched: ${kept.join(", ")} cannot be deleted because it is protected. npm run ops -- destroy removes all else and names what is kept and what that costs; npm run ops -- destroy --everything deletes that, too. After pulumi state unprotect, run pulumi destroy without --skip-preview.`;
