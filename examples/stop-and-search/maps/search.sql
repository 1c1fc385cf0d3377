-- One record of stop and search, all fifteen columns as they are written.
-- Nothing is converted: empty stays empty, and no column can fail.
SELECT
    m.position,
    m.search_type AS type,
    m.search_date AS date,
    m.part_of_operation AS partOfOperation,
    m.operation AS operation,
    m.latitude AS latitude,
    m.longitude AS longitude,
    m.gender AS gender,
    m.age_range AS ageRange,
    m.self_ethnicity AS selfDefinedEthnicity,
    m.officer_ethnicity AS officerDefinedEthnicity,
    m.legislation AS legislation,
    m.object_of_search AS objectOfSearch,
    m.outcome AS outcome,
    m.outcome_linked AS outcomeLinkedToObject,
    m.clothing_removed AS clothingRemoved
FROM message AS m
