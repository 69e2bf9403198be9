"""`critter check`: settings, carriers, mail and DNS, tried one by one."""
