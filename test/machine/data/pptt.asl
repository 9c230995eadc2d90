/* Two packages of two clusters of two cores; L2 a cluster, L3 a package. Written for setway's tests; compile with iasl. */
[0004]                          Signature : "PPTT"
[0004]                       Table Length : 00000000
[0001]                           Revision : 02
[0001]                           Checksum : 00
[0006]                             Oem ID : "SETWAY"
[0008]                       Oem Table ID : "TESTHOST"
[0004]                       Oem Revision : 00000001
[0004]                    Asl Compiler ID : "INTL"
[0004]              Asl Compiler Revision : 20230628

[0001]                      Subtable Type : 01 [Cache Type]
[0001]                             Length : 18
[0002]                           Reserved : 0000
[0004]              Flags (decoded below) : 0000007F
                               Size valid : 1
                     Number of Sets valid : 1
                      Associativity valid : 1
                    Allocation Type valid : 1
                         Cache Type valid : 1
                       Write Policy valid : 1
                          Line Size valid : 1
[0004]                Next Level of Cache : 00000000
[0004]                               Size : 00800000
[0004]                     Number of Sets : 00002000
[0001]                      Associativity : 10
[0001]                         Attributes : 0A
                          Allocation Type : 2
                               Cache Type : 2
                             Write Policy : 0
[0002]                          Line Size : 0040

[0001]                      Subtable Type : 01 [Cache Type]
[0001]                             Length : 18
[0002]                           Reserved : 0000
[0004]              Flags (decoded below) : 0000007F
                               Size valid : 1
                     Number of Sets valid : 1
                      Associativity valid : 1
                    Allocation Type valid : 1
                         Cache Type valid : 1
                       Write Policy valid : 1
                          Line Size valid : 1
[0004]                Next Level of Cache : 00000000
[0004]                               Size : 00100000
[0004]                     Number of Sets : 00000400
[0001]                      Associativity : 10
[0001]                         Attributes : 0A
                          Allocation Type : 2
                               Cache Type : 2
                             Write Policy : 0
[0002]                          Line Size : 0040

[0001]                      Subtable Type : 01 [Cache Type]
[0001]                             Length : 18
[0002]                           Reserved : 0000
[0004]              Flags (decoded below) : 0000007F
                               Size valid : 1
                     Number of Sets valid : 1
                      Associativity valid : 1
                    Allocation Type valid : 1
                         Cache Type valid : 1
                       Write Policy valid : 1
                          Line Size valid : 1
[0004]                Next Level of Cache : 0000003C
[0004]                               Size : 00008000
[0004]                     Number of Sets : 00000100
[0001]                      Associativity : 02
[0001]                         Attributes : 02
                          Allocation Type : 2
                               Cache Type : 0
                             Write Policy : 0
[0002]                          Line Size : 0040

[0001]                      Subtable Type : 01 [Cache Type]
[0001]                             Length : 18
[0002]                           Reserved : 0000
[0004]              Flags (decoded below) : 0000007F
                               Size valid : 1
                     Number of Sets valid : 1
                      Associativity valid : 1
                    Allocation Type valid : 1
                         Cache Type valid : 1
                       Write Policy valid : 1
                          Line Size valid : 1
[0004]                Next Level of Cache : 0000003C
[0004]                               Size : 0000C000
[0004]                     Number of Sets : 00000100
[0001]                      Associativity : 03
[0001]                         Attributes : 04
                          Allocation Type : 0
                               Cache Type : 1
                             Write Policy : 0
[0002]                          Line Size : 0040

[0001]                      Subtable Type : 00 [Processor Hierarchy Node]
[0001]                             Length : 18
[0002]                           Reserved : 0000
[0004]              Flags (decoded below) : 00000001
                         Physical package : 1
                  ACPI Processor ID valid : 0
                    Processor is a thread : 0
                           Node is a leaf : 0
                 Identical Implementation : 0
[0004]                             Parent : 00000000
[0004]                  ACPI Processor ID : 00000000
[0004]            Private Resource Number : 00000001
[0004]                   Private Resource : 00000024

[0001]                      Subtable Type : 00 [Processor Hierarchy Node]
[0001]                             Length : 18
[0002]                           Reserved : 0000
[0004]              Flags (decoded below) : 00000000
                         Physical package : 0
                  ACPI Processor ID valid : 0
                    Processor is a thread : 0
                           Node is a leaf : 0
                 Identical Implementation : 0
[0004]                             Parent : 00000084
[0004]                  ACPI Processor ID : 00000000
[0004]            Private Resource Number : 00000001
[0004]                   Private Resource : 0000003C

[0001]                      Subtable Type : 00 [Processor Hierarchy Node]
[0001]                             Length : 1C
[0002]                           Reserved : 0000
[0004]              Flags (decoded below) : 0000000A
                         Physical package : 0
                  ACPI Processor ID valid : 1
                    Processor is a thread : 0
                           Node is a leaf : 1
                 Identical Implementation : 0
[0004]                             Parent : 0000009C
[0004]                  ACPI Processor ID : 00000000
[0004]            Private Resource Number : 00000002
[0004]                   Private Resource : 00000054
[0004]                   Private Resource : 0000006C

[0001]                      Subtable Type : 00 [Processor Hierarchy Node]
[0001]                             Length : 1C
[0002]                           Reserved : 0000
[0004]              Flags (decoded below) : 0000000A
                         Physical package : 0
                  ACPI Processor ID valid : 1
                    Processor is a thread : 0
                           Node is a leaf : 1
                 Identical Implementation : 0
[0004]                             Parent : 0000009C
[0004]                  ACPI Processor ID : 00000001
[0004]            Private Resource Number : 00000002
[0004]                   Private Resource : 00000054
[0004]                   Private Resource : 0000006C

[0001]                      Subtable Type : 00 [Processor Hierarchy Node]
[0001]                             Length : 18
[0002]                           Reserved : 0000
[0004]              Flags (decoded below) : 00000000
                         Physical package : 0
                  ACPI Processor ID valid : 0
                    Processor is a thread : 0
                           Node is a leaf : 0
                 Identical Implementation : 0
[0004]                             Parent : 00000084
[0004]                  ACPI Processor ID : 00000000
[0004]            Private Resource Number : 00000001
[0004]                   Private Resource : 0000003C

[0001]                      Subtable Type : 00 [Processor Hierarchy Node]
[0001]                             Length : 1C
[0002]                           Reserved : 0000
[0004]              Flags (decoded below) : 0000000A
                         Physical package : 0
                  ACPI Processor ID valid : 1
                    Processor is a thread : 0
                           Node is a leaf : 1
                 Identical Implementation : 0
[0004]                             Parent : 000000EC
[0004]                  ACPI Processor ID : 00000002
[0004]            Private Resource Number : 00000002
[0004]                   Private Resource : 00000054
[0004]                   Private Resource : 0000006C

[0001]                      Subtable Type : 00 [Processor Hierarchy Node]
[0001]                             Length : 1C
[0002]                           Reserved : 0000
[0004]              Flags (decoded below) : 0000000A
                         Physical package : 0
                  ACPI Processor ID valid : 1
                    Processor is a thread : 0
                           Node is a leaf : 1
                 Identical Implementation : 0
[0004]                             Parent : 000000EC
[0004]                  ACPI Processor ID : 00000003
[0004]            Private Resource Number : 00000002
[0004]                   Private Resource : 00000054
[0004]                   Private Resource : 0000006C

[0001]                      Subtable Type : 00 [Processor Hierarchy Node]
[0001]                             Length : 18
[0002]                           Reserved : 0000
[0004]              Flags (decoded below) : 00000001
                         Physical package : 1
                  ACPI Processor ID valid : 0
                    Processor is a thread : 0
                           Node is a leaf : 0
                 Identical Implementation : 0
[0004]                             Parent : 00000000
[0004]                  ACPI Processor ID : 00000000
[0004]            Private Resource Number : 00000001
[0004]                   Private Resource : 00000024

[0001]                      Subtable Type : 00 [Processor Hierarchy Node]
[0001]                             Length : 18
[0002]                           Reserved : 0000
[0004]              Flags (decoded below) : 00000000
                         Physical package : 0
                  ACPI Processor ID valid : 0
                    Processor is a thread : 0
                           Node is a leaf : 0
                 Identical Implementation : 0
[0004]                             Parent : 0000013C
[0004]                  ACPI Processor ID : 00000000
[0004]            Private Resource Number : 00000001
[0004]                   Private Resource : 0000003C

[0001]                      Subtable Type : 00 [Processor Hierarchy Node]
[0001]                             Length : 1C
[0002]                           Reserved : 0000
[0004]              Flags (decoded below) : 0000000A
                         Physical package : 0
                  ACPI Processor ID valid : 1
                    Processor is a thread : 0
                           Node is a leaf : 1
                 Identical Implementation : 0
[0004]                             Parent : 00000154
[0004]                  ACPI Processor ID : 00000004
[0004]            Private Resource Number : 00000002
[0004]                   Private Resource : 00000054
[0004]                   Private Resource : 0000006C

[0001]                      Subtable Type : 00 [Processor Hierarchy Node]
[0001]                             Length : 1C
[0002]                           Reserved : 0000
[0004]              Flags (decoded below) : 0000000A
                         Physical package : 0
                  ACPI Processor ID valid : 1
                    Processor is a thread : 0
                           Node is a leaf : 1
                 Identical Implementation : 0
[0004]                             Parent : 00000154
[0004]                  ACPI Processor ID : 00000005
[0004]            Private Resource Number : 00000002
[0004]                   Private Resource : 00000054
[0004]                   Private Resource : 0000006C

[0001]                      Subtable Type : 00 [Processor Hierarchy Node]
[0001]                             Length : 18
[0002]                           Reserved : 0000
[0004]              Flags (decoded below) : 00000000
                         Physical package : 0
                  ACPI Processor ID valid : 0
                    Processor is a thread : 0
                           Node is a leaf : 0
                 Identical Implementation : 0
[0004]                             Parent : 0000013C
[0004]                  ACPI Processor ID : 00000000
[0004]            Private Resource Number : 00000001
[0004]                   Private Resource : 0000003C

[0001]                      Subtable Type : 00 [Processor Hierarchy Node]
[0001]                             Length : 1C
[0002]                           Reserved : 0000
[0004]              Flags (decoded below) : 0000000A
                         Physical package : 0
                  ACPI Processor ID valid : 1
                    Processor is a thread : 0
                           Node is a leaf : 1
                 Identical Implementation : 0
[0004]                             Parent : 000001A4
[0004]                  ACPI Processor ID : 00000006
[0004]            Private Resource Number : 00000002
[0004]                   Private Resource : 00000054
[0004]                   Private Resource : 0000006C

[0001]                      Subtable Type : 00 [Processor Hierarchy Node]
[0001]                             Length : 1C
[0002]                           Reserved : 0000
[0004]              Flags (decoded below) : 0000000A
                         Physical package : 0
                  ACPI Processor ID valid : 1
                    Processor is a thread : 0
                           Node is a leaf : 1
                 Identical Implementation : 0
[0004]                             Parent : 000001A4
[0004]                  ACPI Processor ID : 00000007
[0004]            Private Resource Number : 00000002
[0004]                   Private Resource : 00000054
[0004]                   Private Resource : 0000006C

