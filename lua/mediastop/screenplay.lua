--- The table `mediastop.screenplay` as a module of its own.
-- @module mediastop.screenplay

return require("mediastop").screenplay
