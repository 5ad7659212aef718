const view = new URLSearchParams();
const followers = [];

const readAddress = () => {
  if (!location.hash.includes("=")) return;
  for (const name of new Set(view.keys())) view.delete(name);
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) view.append(name, value);
};

const remember = (name, values) => {
  const [first, ...others] = values;
  if (first === undefined) view.delete(name);
  else view.set(name, first);
  for (const value of others) view.append(name, value);
  const told = view.toString().replaceAll("%2F", "/");
  history.replaceState(null, "", told ? `#${told}` : location.pathname + location.search);
};

const whenAddressed = (follow) => followers.push(follow);

readAddress();
addEventListener("hashchange", () => {
  if (!location.hash.includes("=")) return;
  readAddress();
  for (const follow of followers) follow();
});
