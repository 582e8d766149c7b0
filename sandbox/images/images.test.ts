import { hubReference } from "./images";

test.each([
  ["docker.io/library/caddy:2.11.7-alpine", "library/caddy", "2.11.7-alpine"],
  ["docker.io/authelia/authelia:4.39", "authelia/authelia", "4.39"],
  ["authelia/authelia:4.39", "authelia/authelia", "4.39"],
  ["debian", "library/debian", "latest"],
])("%s is asked of a mirror as %s:%s", (reference, repository, tag) => {
  expect(hubReference(reference)).toEqual({ repository, tag });
});

test.each(["ghcr.io/authelia/authelia:4.39", "localhost/caddy:2", "caddy:2@sha256:abc"])(
  "%s is refused",
  (reference) => {
    expect(() => hubReference(reference)).toThrow(reference);
  },
);
