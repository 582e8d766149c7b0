import { Shared } from "./shared";

/** Where the publishers' parts come from, and how each answers a stranger that may have them. */
const places = {
  // An open registry answers an anonymous client with 401.
  dockerHub: { url: "https://registry-1.docker.io/v2/", answers: [200, 401] },
  gitHubImages: { url: "https://ghcr.io/v2/", answers: [200, 401] },
  gitHub: { url: "https://github.com/", answers: [200] },
} as const;

type Place = keyof typeof places;

const asked = new Shared<Place, boolean>();

function answers(place: Place): Promise<boolean> {
  const { url, answers } = places[place];
  return asked.get(place, () =>
    fetch(url, { signal: AbortSignal.timeout(5_000) }).then(
      // Anything else comes from something in between.
      ({ status }) => answers.some((one) => one === status),
      () => false,
    ),
  );
}

/** Whether Docker Hub's registry answers from this machine; asked once, for a few seconds at most. */
export function officialRegistryAnswers(): Promise<boolean> {
  return answers("dockerHub");
}

/** Whether everything that the Apps that are off by default come from answers: the two registries, and GitHub. */
export async function publishersAnswer(): Promise<boolean> {
  const all = await Promise.all((Object.keys(places) as Place[]).map(answers));
  return all.every(Boolean);
}
