// Stands for what is left out of a bundle: elkjs, a layout nobody gets unless a diagram asks for it
// by name, under a licence (EPL) that we do not ship.
export default class Absent {
  constructor() {
    throw new Error("This layout is not included.");
  }
}
