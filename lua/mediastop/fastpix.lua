--- The table `mediastop.fastpix` as a module of its own.
-- @module mediastop.fastpix

return require("mediastop").fastpix
