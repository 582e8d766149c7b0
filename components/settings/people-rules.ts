import { appKinds } from "../apps/registry";
import { appName } from "../own-apps/folder";
import { type Problem, when } from "./problem";
import type { PlainSettings } from "./table";

/** People who are the operator, and Apps that they cannot reach. */
export function peopleProblems(values: PlainSettings): Problem[] {
  const { people = [], ownApps = [], adminUsername, adminEmail } = values;
  const own = ownApps.map(appName);
  const on = appKinds.filter((kind) => values[kind.enabled]).map(({ name }): string => name);
  const faultOfApp = (app: string): string | undefined => {
    const kind = appKinds.find(({ name }) => name === app);
    if (kind === undefined)
      return own.includes(app) ? undefined : `is not the name of an App of this stack: ${[...on, ...own].join(", ")}`;
    if (!values[kind.enabled]) return `is an App that is off: ${kind.enabled}`;
    const why = kind.outsidePortal?.(values);
    return why === undefined ? undefined : `is an App that ${why}`;
  };
  return people.flatMap(({ name, mail, apps }, index) => [
    ...when(name === adminUsername, "people", `[${index}].name is the operator's (adminUsername)`),
    ...when(
      mail.toLowerCase() === adminEmail?.toLowerCase(),
      "people",
      `[${index}].mail is the operator's (adminEmail), who would get this person's codes`,
    ),
    ...apps.flatMap((app, place) => {
      const fault = faultOfApp(app);
      return when(fault !== undefined, "people", `[${index}].apps[${place}] ${fault ?? ""}`);
    }),
  ]);
}
