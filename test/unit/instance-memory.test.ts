import { instanceMemoryGiB } from "../../components/alicloud/prices/instance-memory";

it.each<[string, number | undefined]>([
  ["ecs.e-c1m1.large", 2],
  ["ecs.e-c1m2.large", 4],
  ["ecs.e-c1m4.large", 8],
  ["ecs.t6-c1m2.large", 4],
  ["ecs.u1-c1m2.xlarge", 8],
  ["ecs.u1-c1m8.2xlarge", 64],
  ["ecs.c7.large", 4],
  ["ecs.c8i.xlarge", 8],
  ["ecs.g7.large", 8],
  ["ecs.g8a.16xlarge", 256],
  ["ecs.r7.large", 16],
  ["ecs.t5-lc1m1.small", undefined],
  ["ecs.gn7i-c8g1.2xlarge", undefined],
  ["ecs.hfc7.large", undefined],
  ["ecs.ebmg7.32xlarge", undefined],
  ["ecs.n4.large", undefined],
])("%s has %d GiB", (type, gib) => {
  expect(instanceMemoryGiB(type)).toBe(gib);
});
