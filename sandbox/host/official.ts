let answer: Promise<boolean> | undefined;

/** Whether Docker Hub's registry answers from this machine; asked once, for a few seconds at most. */
export function officialRegistryAnswers(): Promise<boolean> {
  // An open registry answers an anonymous client with 401; anything else comes from something in between.
  answer ??= fetch("https://registry-1.docker.io/v2/", { signal: AbortSignal.timeout(5_000) }).then(
    (response) => response.status === 401 || response.status === 200,
    () => false,
  );
  return answer;
}
